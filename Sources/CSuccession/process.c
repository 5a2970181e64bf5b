// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

// Older headers than the kernel the program meets.
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

// struct pidfd_info as of its first version, in which the last field was spare.
struct pidfd_information {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t ids[11];
    int32_t exit_code;
};
_Static_assert(sizeof(struct pidfd_information) == 64, "PIDFD_INFO_SIZE_VER0");
#define GET_INFORMATION _IOWR(0xFF, 11, struct pidfd_information)
#define INFORMATION_EXIT (1ULL << 3)
#define PIDFS_MAGIC 0x50494446

int csuccession_pidfd_open(int pid) {
    long descriptor = syscall(SYS_pidfd_open, pid, 0);
    return descriptor < 0 ? -errno : (int)descriptor;
}

int csuccession_pidfd_send_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int csuccession_reap(int pidfd, int pid, struct csuccession_exit *result) {
    siginfo_t info;
    int status;
    do {
        memset(&info, 0, sizeof info);
        status = pidfd >= 0 ? waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) : -1;
        // Linux 5.3 has pidfds but cannot wait for them.
        if (pidfd < 0 || (status < 0 && errno == EINVAL)) {
            status = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
        }
    } while (status < 0 && errno == EINTR);
    if (status < 0) return -errno;
    if (info.si_pid == 0) return 0;
    result->was_signaled = info.si_code != CLD_EXITED;
    result->value = info.si_status;
    result->dumped_core = info.si_code == CLD_DUMPED;
    return 1;
}

int csuccession_reap_any(int *pid, struct csuccession_exit *result) {
    siginfo_t info;
    int status;
    do {
        memset(&info, 0, sizeof info);
        status = waitid(P_ALL, 0, &info, WEXITED | WNOHANG);
    } while (status < 0 && errno == EINTR);
    if (status < 0) return -errno;
    if (info.si_pid == 0) return 0;
    *pid = info.si_pid;
    result->was_signaled = info.si_code != CLD_EXITED;
    result->value = info.si_status;
    result->dumped_core = info.si_code == CLD_DUMPED;
    return 1;
}

int csuccession_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int csuccession_pidfd_exit(int pidfd, struct csuccession_exit *result) {
    struct pidfd_information info = {.mask = INFORMATION_EXIT};
    if (ioctl(pidfd, GET_INFORMATION, &info) < 0) return -errno;
    if (!(info.mask & INFORMATION_EXIT)) return 0;
    result->was_signaled = WIFSIGNALED(info.exit_code);
    result->value = result->was_signaled ? WTERMSIG(info.exit_code) : WEXITSTATUS(info.exit_code);
    result->dumped_core = result->was_signaled && WCOREDUMP(info.exit_code);
    return 1;
}

int csuccession_pidfd_identity(int pidfd, uint64_t *identity) {
    struct statfs filesystem;
    struct stat status;
    if (fstatfs(pidfd, &filesystem) < 0) return -errno;
    if (filesystem.f_type != PIDFS_MAGIC) return 0;
    if (fstat(pidfd, &status) < 0) return -errno;
    *identity = status.st_ino;
    return 1;
}

int csuccession_open_path_only(void) {
    return O_PATH;
}

char **csuccession_environment(void) {
    return environ;
}

const char *csuccession_executed_path(void) {
    return (const char *)getauxval(AT_EXECFN);
}

// struct sched_attr as of its first version.
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
_Static_assert(sizeof(struct scheduling) == 48, "SCHED_ATTR_SIZE_VER0");
void csuccession_set_slice(uint64_t nanoseconds) {
    struct scheduling attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) < 0) return;
    // Of a real-time or deadline thread it would mean something else.
    if (attributes.policy != SCHED_OTHER) return;
    attributes.runtime = nanoseconds;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void csuccession_name_thread(const char *name) {
    char short_name[16] = {0};
    strncpy(short_name, name, sizeof short_name - 1);
    pthread_setname_np(pthread_self(), short_name);
}
