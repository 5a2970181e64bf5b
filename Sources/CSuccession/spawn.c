// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
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
// child may only call what is async-signal-safe, and leaves its number and its error where the
// parent finds them: no pipe is needed.
struct child {
    const struct csuccession_spawn_request *request;
    struct csuccession_spawn_progress *progress;
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

// As readdir, which allocates.
static int close_listed(int first, int now) {
    _Alignas(uint64_t) char entries[1024];
    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -1;
    long length;
    while ((length = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0) {
        for (long offset = 0; offset + 19 < length;) {
            // struct linux_dirent64: the length at 16, the name at 19.
            uint16_t size;
            memcpy(&size, entries + offset + 16, sizeof size);
            int descriptor = 0;
            const char *name = entries + offset + 19;
            for (; *name >= '0' && *name <= '9'; name++) descriptor = descriptor * 10 + (*name - '0');
            offset += size;
            if (*name != 0 || descriptor < first || descriptor == directory) continue;
            if (now) {
                close(descriptor);
            } else {
                fcntl(descriptor, F_SETFD, FD_CLOEXEC);
            }
        }
    }
    close(directory);
    return length < 0 ? -1 : 0;
}

// `now`: a process that hangs in execve must not keep a connection open that its parent has closed.
static int close_from(int first, int now) {
    if (syscall(SYS_close_range, first, ~0U, now ? 0 : CLOSE_RANGE_CLOEXEC) == 0) return 0;
    // Before Linux 5.11.
    if (errno != ENOSYS && errno != EINVAL && errno != EPERM) return -1;
    // A limit may be lower than what is open already, or a thousand million.
    if (close_listed(first, now) == 0) return 0;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -1;
    rlim_t end = limit.rlim_cur < (1U << 20) ? limit.rlim_cur : (1U << 20);
    for (int descriptor = first; (rlim_t)descriptor < end; descriptor++) {
        if (now) {
            close(descriptor);
        } else {
            fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        }
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
    if (close_from(3, 0) < 0) return -1;
    for (size_t i = 0; i < request->count; i++) {
        // dup2 also clears close-on-exec.
        if (dup2(request->scratch[i], request->targets[i]) < 0) return -1;
    }
    return close_from(base, 1);
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

// By system call: glibc would have all threads of the parent change too, whose memory this is. The
// kernel forbids to trace what shares it from the moment on in which the user changes.
static int become_user(const struct csuccession_spawn_request *request) {
    if (!request->has_user) return 0;
    // What root has in its session keyring is nobody else's; a kernel without keyrings is no error.
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    uint32_t user = request->user, group = request->group;
    if (syscall(SYS_setgroups, request->group_count, request->groups) < 0) return -1;
    if (syscall(SYS_setresgid, group, group, group) < 0) return -1;
    return syscall(SYS_setresuid, user, user, user) < 0 ? -1 : 0;
}

static int run_child(void *argument) {
    struct child *child = argument;
    const struct csuccession_spawn_request *request = child->request;
    // In this order: the thread that abandons the launch does the opposite, so one of the two sees the other.
    __atomic_store_n(&child->progress->pid, getpid(), __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&child->progress->is_abandoned, __ATOMIC_SEQ_CST)) _exit(127);
    reset_signals(request->ignored_signals);
    if (request->new_session && setsid() < 0) goto failed;
    if (request->working_directory >= 0 && fchdir(request->working_directory) < 0) goto failed;
    if (place_descriptors(request) < 0) goto failed;
    if (request->own_pid) write_number(getpid(), request->own_pid);
    // The control thread's is short, and a thread hands its own on to all that it starts.
    csuccession_set_slice(0);
    if (become_user(request) < 0) goto failed;
    unblock_signals();
    execve(request->path, request->arguments, request->environment);
failed:
    child->progress->error = errno;
    _exit(127);
}

static int start(struct child *child, char *stack) {
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    int *pidfd = &child->progress->pidfd;
    if (child->request->as_sibling) flags |= CLONE_PARENT;
    // The kernel writes the pidfd before the child runs.
    int pid = clone(run_child, stack + STACK_SIZE, flags | CLONE_PIDFD, child, pidfd);
    // Kernels before 5.2 ignore the flag; some emulations of a kernel and some sandboxes refuse it.
    if (pid < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM)) {
        *pidfd = -1;
        pid = clone(run_child, stack + STACK_SIZE, flags, child);
        // Its number is its own as long as nobody has waited for it.
        if (pid > 0 && child->progress->error == 0) *pidfd = csuccession_pidfd_open(pid);
        if (*pidfd < 0) *pidfd = -1;
    }
    return pid < 0 ? -errno : pid;
}

void csuccession_discard(const struct csuccession_spawn_progress *progress, int as_sibling) {
    // A sibling belongs to our parent, who waits for it.
    if (as_sibling) return;
    int pidfd = progress->pidfd;
    siginfo_t info;
    int status;
    do {
        status = pidfd >= 0 ? waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) : -1;
        if (pidfd < 0 || (status < 0 && errno != EINTR && errno != ECHILD)) {
            status = waitid(P_PID, (id_t)progress->pid, &info, WEXITED);
        }
    } while (status < 0 && errno == EINTR);
}

int csuccession_spawn(
    const struct csuccession_spawn_request *request, struct csuccession_spawn_progress *progress) {
    struct child child = {.request = request, .progress = progress};
    sigset_t all, before;
    // Part of this thread's own, which stands still as long as the child needs it.
    _Alignas(16) char stack[STACK_SIZE];

    // No handler of the parent may run in the child, which shares its memory.
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int pid = start(&child, stack);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

void csuccession_abandon(struct csuccession_spawn_progress *progress) {
    __atomic_store_n(&progress->is_abandoned, 1, __ATOMIC_SEQ_CST);
    int pidfd = __atomic_load_n(&progress->pidfd, __ATOMIC_SEQ_CST);
    int pid = __atomic_load_n(&progress->pid, __ATOMIC_SEQ_CST);
    if (pidfd >= 0 && csuccession_pidfd_send_signal(pidfd, SIGKILL) == 0) return;
    if (pid > 0) kill(pid, SIGKILL);
}
