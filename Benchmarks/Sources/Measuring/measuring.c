// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "Measuring.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

void fail(const char *format, ...) {
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
    exit(1);
}

long number(const char *text, long least, long most) {
    char *end;
    long value = strtol(text, &end, 10);
    errno = 0;
    if (*text == 0 || *end != 0 || value < least || value > most)
        fail("'%s' is not a number between %ld and %ld", text, least, most);
    return value;
}

pid_t spawn(char *const *command, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (output >= 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    pid_t pid;
    errno = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
    if (errno)
        fail("%s", command[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int wait_for_exit(pid_t pid, int seconds) {
    int pidfd = pidfd_of(pid);
    if (!is_gone(pidfd, seconds * 1000))
        send_signal(pidfd, SIGKILL);
    close(pidfd);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            fail("waitpid %d", pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int pidfd_of(pid_t pid) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    if (descriptor < 0)
        fail("pidfd_open %d", pid);
    return descriptor;
}

void send_signal(int pidfd, int signal) {
    if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 && errno != ESRCH)
        fail("pidfd_send_signal");
}

int is_gone(int pidfd, int milliseconds) {
    double deadline = now_us() + milliseconds * 1e3;
    struct pollfd entry = {.fd = pidfd, .events = POLLIN};
    for (;;) {
        double left = (deadline - now_us()) / 1e3;
        int count = poll(&entry, 1, left > 0 ? (int)left + 1 : 0);
        if (count > 0)
            return 1;
        if (count < 0 && errno != EINTR)
            fail("poll");
        if (left <= 0)
            return 0;
    }
}
