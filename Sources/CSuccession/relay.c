// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { SIGNALS = 65, SENT_BY_KERNEL = 0x80 };

// The descriptor for each signal, plus one, so that the zero a static begins with means none.
static atomic_int targets[SIGNALS];
static atomic_int tells_origin[SIGNALS];

static void relay(int signal, siginfo_t *info, void *context) {
    int saved = errno;
    int descriptor = atomic_load(&targets[signal]) - 1;
    unsigned char byte = (unsigned char)signal;
    (void)context;
    if (atomic_load(&tells_origin[signal]) && info->si_code == SI_KERNEL) byte |= SENT_BY_KERNEL;
    // A full pipe already says that signals are waiting.
    if (descriptor >= 0) (void)!write(descriptor, &byte, 1);
    errno = saved;
}

static int install(int signal, int descriptor, int origin) {
    struct sigaction action = {.sa_sigaction = relay, .sa_flags = SA_RESTART | SA_SIGINFO};
    if (signal <= 0 || signal >= SIGNALS) return -EINVAL;
    sigemptyset(&action.sa_mask);
    atomic_store(&tells_origin[signal], origin);
    atomic_store(&targets[signal], descriptor + 1);
    if (sigaction(signal, &action, NULL) == 0) return 0;
    int error = errno;
    atomic_store(&targets[signal], 0);
    return -error;
}

int csuccession_relay_install(int signal, int descriptor) {
    return install(signal, descriptor, 0);
}

int csuccession_relay_install_with_origin(int signal, int descriptor) {
    return install(signal, descriptor, 1);
}

int csuccession_relay_restore(int signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (signal <= 0 || signal >= SIGNALS) return -EINVAL;
    int result = sigaction(signal, &action, NULL) < 0 ? -errno : 0;
    atomic_store(&targets[signal], 0);
    return result;
}
