// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name the architecture"
#endif

#define MFD_NOEXEC_SEAL_FLAG 8U
#define SO_PEERPIDFD_NAME 77U

struct call {
    const char *name;
    int number;
    enum condition condition;
    unsigned argument;
    uint32_t value;
    int with_descriptors;
};

static const struct call calls[] = {
    {"clone", SYS_clone, ALWAYS, 0, 0, 0},
    {"clone/CLONE_PIDFD", SYS_clone, ANY_BIT, 0, 0x1000, 0},
    {"clone/CLONE_PARENT", SYS_clone, ANY_BIT, 0, CLONE_PARENT, 0},
    {"clone/CLONE_VFORK", SYS_clone, ANY_BIT, 0, CLONE_VFORK, 0},
    {"clone3", SYS_clone3, ALWAYS, 0, 0, 0},
    {"close_range", SYS_close_range, ALWAYS, 0, 0, 0},
    {"execve", SYS_execve, ALWAYS, 0, 0, 0},
    {"pidfd_open", SYS_pidfd_open, ALWAYS, 0, 0, 0},
    {"pidfd_send_signal", SYS_pidfd_send_signal, ALWAYS, 0, 0, 0},
    {"waitid/P_PIDFD", SYS_waitid, EQUAL, 0, 3, 0},
    {"memfd_create", SYS_memfd_create, ALWAYS, 0, 0, 0},
    {"memfd_create/MFD_NOEXEC_SEAL", SYS_memfd_create, ANY_BIT, 1, MFD_NOEXEC_SEAL_FLAG, 0},
    {"memfd_create/executable", SYS_memfd_create, NO_BIT, 1, MFD_NOEXEC_SEAL_FLAG, 0},
    {"socket/AF_NETLINK", SYS_socket, EQUAL, 0, AF_NETLINK, 0},
    {"socketpair", SYS_socketpair, ALWAYS, 0, 0, 0},
    {"getsockopt/SO_PEERPIDFD", SYS_getsockopt, EQUAL, 2, SO_PEERPIDFD_NAME, 0},
    {"sendmsg", SYS_sendmsg, ALWAYS, 0, 0, 0},
    {"sendmsg/descriptors", SYS_sendmsg, ALWAYS, 0, 0, 1},
    {"recvmsg", SYS_recvmsg, ALWAYS, 0, 0, 0},
    {"accept4", SYS_accept4, ALWAYS, 0, 0, 0},
    {"epoll_ctl", SYS_epoll_ctl, ALWAYS, 0, 0, 0},
    {"fcntl", SYS_fcntl, ALWAYS, 0, 0, 0},
    {"getsockopt", SYS_getsockopt, ALWAYS, 0, 0, 0},
    {"getsockname", SYS_getsockname, ALWAYS, 0, 0, 0},
    {"bind", SYS_bind, ALWAYS, 0, 0, 0},
    {"listen", SYS_listen, ALWAYS, 0, 0, 0},
    {"socket", SYS_socket, ALWAYS, 0, 0, 0},
    {"mmap", SYS_mmap, ALWAYS, 0, 0, 0},
    {"openat", SYS_openat, ALWAYS, 0, 0, 0},
    {"newfstatat", SYS_newfstatat, ALWAYS, 0, 0, 0},
    {"sched_setattr", SYS_sched_setattr, ALWAYS, 0, 0, 0},
};

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"ENOSYS", ENOSYS}, {"EPERM", EPERM},   {"EACCES", EACCES},
    {"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM}, {"ENOBUFS", ENOBUFS},
    {"EINVAL", EINVAL}, {"EMFILE", EMFILE}, {"ENOSPC", ENOSPC},
    {"ETOOMANYREFS", ETOOMANYREFS},
};

void read_rule(const char *text, struct rule *rule) {
    const char *sign = strchr(text, '=');
    if (!sign) misuse("rule", text);
    size_t length = (size_t)(sign - text);
    const char *error = sign + 1;
    const char *star = strchr(error, '*');
    size_t error_length = star ? (size_t)(star - error) : strlen(error);
    rule->error = 0;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strlen(errors[i].name) == error_length && !strncmp(errors[i].name, error, error_length))
            rule->error = errors[i].number;
    }
    const char *at = strchr(error, '@');
    rule->times = star ? atoi(star + 1) : -1;
    rule->passed = at ? atoi(at + 1) : 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *call = &calls[i];
        if (strlen(call->name) != length || strncmp(call->name, text, length)) continue;
        rule->number = call->number;
        rule->condition = call->condition;
        rule->argument = call->argument;
        rule->value = call->value;
        rule->with_descriptors = call->with_descriptors;
        if (rule->error != 0) return;
    }
    misuse("rule", text);
}

// MARK: What the kernel's filter decides

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
#define LOAD(offset) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define RETURN(value) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, value)
#define JUMP(test, value, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | test | BPF_K, value, yes, no)

static int is_supervised(const struct rule *rule) {
    return rule->with_descriptors || rule->times >= 0;
}

static int install(const struct rule *rules, int count, int flags) {
    struct sock_filter code[8 + 6 * MAXIMUM_RULES];
    int end = 0;
    code[end++] = LOAD(FIELD(arch));
    code[end++] = JUMP(BPF_JEQ, ARCHITECTURE, 1, 0);
    code[end++] = RETURN(SECCOMP_RET_ALLOW);
    for (int i = 0; i < count; i++) {
        const struct rule *rule = &rules[i];
        uint32_t answer = is_supervised(rule)
            ? SECCOMP_RET_USER_NOTIF
            : SECCOMP_RET_ERRNO | ((uint32_t)rule->error & SECCOMP_RET_DATA);
        code[end++] = LOAD(FIELD(nr));
        code[end++] = JUMP(BPF_JEQ, (uint32_t)rule->number, 0, rule->condition == ALWAYS ? 1 : 3);
        if (rule->condition != ALWAYS) {
            // The lower half: both architectures are little-endian, and no flag here needs more.
            code[end++] = LOAD(FIELD(args) + 8 * rule->argument);
            int is_no = rule->condition == NO_BIT;
            code[end++] = rule->condition == EQUAL ? JUMP(BPF_JEQ, rule->value, 0, 1)
                                                   : JUMP(BPF_JSET, rule->value, is_no, !is_no);
        }
        code[end++] = RETURN(answer);
    }
    code[end++] = RETURN(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = (unsigned short)end, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail("no_new_privs");
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

// MARK: What only somebody who looks at the message can decide

static int carries_descriptors(const struct seccomp_notif *request) {
    struct msghdr message;
    struct iovec here = {.iov_base = &message, .iov_len = sizeof message};
    struct iovec there = {.iov_base = (void *)request->data.args[1], .iov_len = sizeof message};
    if (process_vm_readv((pid_t)request->pid, &here, 1, &there, 1, 0) != sizeof message) return 0;
    return message.msg_controllen > 0;
}

static int answer_to(struct rule *rules, int count, const struct seccomp_notif *request) {
    for (int i = 0; i < count; i++) {
        struct rule *rule = &rules[i];
        if (!is_supervised(rule) || rule->number != request->data.nr) continue;
        if (rule->with_descriptors && !carries_descriptors(request)) continue;
        if (rule->passed > 0) {
            rule->passed--;
            continue;
        }
        if (rule->times == 0) continue;
        if (rule->times > 0) rule->times--;
        return rule->error;
    }
    return 0;
}

static _Noreturn void supervise(int listener, struct rule *rules, int count) {
    struct pollfd poll_entry = {.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(&poll_entry, 1, -1) < 0 && errno != EINTR) _exit(1);
        // The last process that is filtered has ended.
        if (poll_entry.revents & POLLHUP) _exit(0);
        struct seccomp_notif request = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
            if (errno == EINTR || errno == ENOENT) continue;
            _exit(1);
        }
        int error = answer_to(rules, count, &request);
        struct seccomp_notif_resp response = {
            .id = request.id,
            .error = -error,
            .flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE,
        };
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}

// The supervisor is a grandchild, so that the program has no child that it does not know.
static void start_supervisor(const struct rule *rules, int count, int number[2], int done[2]) {
    int target = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (target < 0) fail("pidfd_open");
    int child = fork();
    if (child < 0) fail("fork");
    if (child > 0) {
        close(target);
        waitpid(child, NULL, 0);
        return;
    }
    int grandchild = fork();
    if (grandchild != 0) _exit(grandchild < 0);
    setsid();
    int listener_number;
    if (read(number[0], &listener_number, sizeof listener_number) != sizeof listener_number) _exit(1);
    int listener = (int)syscall(SYS_pidfd_getfd, target, listener_number, 0);
    if (listener < 0) _exit(1);
    struct rule own[MAXIMUM_RULES];
    memcpy(own, rules, sizeof *rules * (size_t)count);
    if (write(done[1], "", 1) != 1) _exit(1);
    // Nothing of what the program's starter waits for may stay open here.
    if (dup2(listener, 0) < 0) _exit(1);
    syscall(SYS_close_range, 1, ~0U, 0);
    supervise(0, own, count);
}

void enforce(const struct rule *rules, int count) {
    if (count == 0) return;
    int is_any_supervised = 0;
    for (int i = 0; i < count; i++) is_any_supervised |= is_supervised(&rules[i]);
    if (!is_any_supervised) {
        if (install(rules, count, 0) < 0) fail("seccomp");
        return;
    }
    int number[2], done[2];
    if (pipe2(number, 0) < 0 || pipe2(done, 0) < 0) fail("pipe");
    start_supervisor(rules, count, number, done);
    int listener = install(rules, count, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (listener < 0) fail("seccomp with a supervisor");
    char byte;
    if (write(number[1], &listener, sizeof listener) != sizeof listener) fail("pipe");
    close(done[1]);
    if (read(done[0], &byte, 1) != 1) fail("the supervisor");
    close(listener);
    for (int i = 0; i < 2; i++) close(number[i]);
    close(done[0]);
}
