// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

enum { STACK_SIZE = 16384, SIGNALS = 64, KERNEL_SIGSET_SIZE = SIGNALS / 8 };

// The child borrows the memory of the parent, whose thread stands still until exec or _exit. So the
// child may only call what is async-signal-safe, and leaves its error where the parent finds it: no
// pipe is needed.
struct child {
    const struct csuccession_spawn_request *request;
    int error;
};

// By system call: glibc hides 32 and 33 from its callers, and an ignored signal stays ignored over
// exec.
static void reset_signals(uint64_t ignored) {
    unsigned long handler_default[4] = {0};
    unsigned long handler_ignore[4] = {(unsigned long)SIG_IGN};
    for (int number = 1; number <= SIGNALS; number++) {
        int is_ignored = (ignored >> (number - 1)) & 1;
        syscall(SYS_rt_sigaction, number, is_ignored ? handler_ignore : handler_default, NULL,
            KERNEL_SIGSET_SIZE);
    }
}

static void unblock_signals(void) {
    uint64_t none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_SIGSET_SIZE);
}

static int close_all_on_exec(void) {
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return 0;
    // Before Linux 5.11.
    if (errno != ENOSYS && errno != EINVAL && errno != EPERM) return -1;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -1;
    rlim_t end = limit.rlim_cur < (1U << 20) ? limit.rlim_cur : (1U << 20);
    for (int descriptor = 3; (rlim_t)descriptor < end; descriptor++) {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
    return 0;
}

// First every source gets a number above all targets, so that no target overwrites a source that is
// still needed.
static int place_descriptors(const struct csuccession_spawn_request *request) {
    int base = 3;
    for (size_t i = 0; i < request->count; i++) {
        if (request->targets[i] >= base) base = request->targets[i] + 1;
    }
    for (size_t i = 0; i < request->count; i++) {
        request->scratch[i] = fcntl(request->sources[i], F_DUPFD_CLOEXEC, base);
        if (request->scratch[i] < 0) return -1;
    }
    if (close_all_on_exec() < 0) return -1;
    for (size_t i = 0; i < request->count; i++) {
        // dup2 also clears close-on-exec.
        if (dup2(request->scratch[i], request->targets[i]) < 0) return -1;
    }
    return 0;
}

static void write_number(int number, char *digits) {
    char reversed[12];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) *digits++ = reversed[--count];
    *digits = 0;
}

static int run_child(void *argument) {
    struct child *child = argument;
    const struct csuccession_spawn_request *request = child->request;
    reset_signals(request->ignored_signals);
    if (request->new_session && setsid() < 0) goto failed;
    if (request->working_directory >= 0 && fchdir(request->working_directory) < 0) goto failed;
    if (place_descriptors(request) < 0) goto failed;
    if (request->own_pid) write_number(getpid(), request->own_pid);
    // The control thread's is short, and a thread hands its own on to all that it starts.
    csuccession_set_slice(0);
    unblock_signals();
    execve(request->path, request->arguments, request->environment);
failed:
    child->error = errno;
    _exit(127);
}

static int start(struct child *child, char *stack, int *pidfd) {
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    if (child->request->as_sibling) flags |= CLONE_PARENT;
    int pid = clone(run_child, stack + STACK_SIZE, flags | CLONE_PIDFD, child, pidfd);
    // Kernels before 5.2 ignore the flag; some emulations of a kernel refuse it.
    if (pid < 0 && errno == EINVAL) {
        *pidfd = -1;
        pid = clone(run_child, stack + STACK_SIZE, flags, child);
    }
    return pid < 0 ? -errno : pid;
}

static void discard(int pid, int pidfd, int as_sibling) {
    // A sibling belongs to our parent, who waits for it.
    if (!as_sibling) {
        siginfo_t info;
        int status;
        do {
            status = pidfd >= 0 ? waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) : -1;
            if (pidfd < 0 || (status < 0 && errno == EINVAL)) {
                status = waitid(P_PID, (id_t)pid, &info, WEXITED);
            }
        } while (status < 0 && errno == EINTR);
    }
    if (pidfd >= 0) close(pidfd);
}

int csuccession_spawn(const struct csuccession_spawn_request *request, int *pidfd) {
    struct child child = {.request = request};
    sigset_t all, before;
    // Part of this thread's own, which stands still as long as the child needs it.
    _Alignas(16) char stack[STACK_SIZE];

    *pidfd = -1;
    // No handler of the parent may run in the child, which shares its memory.
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int pid = start(&child, stack, pidfd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (pid > 0 && child.error != 0) {
        discard(pid, *pidfd, request->as_sibling);
        *pidfd = -1;
        return -child.error;
    }
    return pid;
}
