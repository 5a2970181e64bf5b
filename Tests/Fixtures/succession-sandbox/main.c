// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// Runs a program where a kernel, a sandbox or an administrator refuses something:
//
//     succession-sandbox [OPTION]… -- PROGRAM [ARGUMENT]…
//
//     --answer CALL[/CONDITION]=ERROR[*TIMES[@PASSED]]   the system call fails; see rules.c
//     --limit nofile=64                         also nproc, fsize; the soft one
//     --no-proc, --hidepid                      /proc is gone, or shows only the user's own
//     --tmpfs DIRECTORY:OPTIONS                 a file system of its own there
//     --memfd-noexec N                          vm.memfd_noexec, in a pid namespace of its own
//     --group DIRECTORY                         a control group to begin in
//     --user ID                                 not root any more
//     --in-flight N                             so many of the user's descriptors lie in a socket
//     --close N                                 a descriptor is closed at start
//     --limit-of PID                            the limits are those of that process
//     --join PID                                where the process of that number is
//
// Exit status 77: this machine or user cannot do it, and standard error says why.

enum { CANNOT = 77, USAGE = 64 };

void fail(const char *what) {
    fprintf(stderr, "sandbox: %s: %s\n", what, strerror(errno));
    exit(errno == EPERM || errno == ENOSYS || errno == EINVAL || errno == ENOENT ? CANNOT : 1);
}

void misuse(const char *what, const char *word) {
    fprintf(stderr, "sandbox: %s '%s'?\n", what, word ? word : "");
    exit(USAGE);
}

static void set_limit(const char *text, int pid) {
    const char *value = strchr(text, '=');
    int resource = !strncmp(text, "nofile=", 7) ? RLIMIT_NOFILE
        : !strncmp(text, "nproc=", 6)           ? RLIMIT_NPROC
        : !strncmp(text, "fsize=", 6)           ? RLIMIT_FSIZE
                                                : -1;
    if (!value || resource < 0) misuse("limit", text);
    struct rlimit limit;
    if (prlimit(pid, resource, NULL, &limit) < 0) fail(text);
    // The hard limit stays: a process without CAP_SYS_RESOURCE could not raise it again.
    limit.rlim_cur = strtoul(value + 1, NULL, 10);
    if (prlimit(pid, resource, &limit, NULL) < 0) fail(text);
}

static void become(int user) {
    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0
        || setresuid(user, user, user) < 0) {
        fail("the user");
    }
    // Otherwise /proc shows nothing of it, and nobody of the same user may look into it.
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void join_group(const char *directory) {
    char path[4096];
    snprintf(path, sizeof path, "%s/cgroup.procs", directory);
    FILE *file = fopen(path, "w");
    if (!file || fputs("0", file) < 0 || fclose(file) != 0) fail(path);
}

// They lie in a socket that the program inherits and does not know of.
static void send_into_the_void(int count) {
    int pair[2], one = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (one < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) fail("descriptors in flight");
    for (; count > 0; count--) {
        char room[CMSG_SPACE(sizeof(int))] = {0};
        struct iovec part = {.iov_base = "x", .iov_len = 1};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof one);
        memcpy(CMSG_DATA(header), &one, sizeof one);
        // Up to the limit, which is what is wanted, and up to the queue's length.
        if (sendmsg(pair[0], &message, MSG_DONTWAIT) >= 0) continue;
        if (errno == ETOOMANYREFS) break;
        if (errno != EAGAIN || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) fail("sendmsg");
    }
    close(one);
}

static int number(const char *text) {
    char *end;
    long value = text ? strtol(text, &end, 10) : -1;
    if (!text || *end || value < 0 || value > 1 << 30) misuse("number", text);
    return (int)value;
}

static char **read_options(char **words, struct sandbox *sandbox) {
    for (; *words && strcmp(*words, "--"); words++) {
        const char *option = *words;
        if (!strcmp(option, "--no-proc")) {
            sandbox->hides_proc = 1;
        } else if (!strcmp(option, "--hidepid")) {
            sandbox->hides_strangers = 1;
        } else {
            const char *value = *++words;
            if (!value) misuse("a value for", option);
            if (!strcmp(option, "--answer") && sandbox->rule_count < MAXIMUM_RULES)
                read_rule(value, &sandbox->rules[sandbox->rule_count++]);
            else if (!strcmp(option, "--limit") && sandbox->limit_count < MAXIMUM_WORDS)
                sandbox->limits[sandbox->limit_count++] = value;
            else if (!strcmp(option, "--tmpfs") && sandbox->tmpfs_count < MAXIMUM_WORDS)
                sandbox->tmpfs[sandbox->tmpfs_count++] = value;
            else if (!strcmp(option, "--group") && sandbox->group_count < MAXIMUM_WORDS)
                sandbox->groups[sandbox->group_count++] = value;
            else if (!strcmp(option, "--close") && sandbox->closed_count < MAXIMUM_WORDS)
                sandbox->closed[sandbox->closed_count++] = number(value);
            else if (!strcmp(option, "--memfd-noexec")) sandbox->memfd_noexec = number(value);
            else if (!strcmp(option, "--user")) sandbox->user = number(value);
            else if (!strcmp(option, "--in-flight")) sandbox->in_flight = number(value);
            else if (!strcmp(option, "--limit-of")) sandbox->limited = number(value);
            else if (!strcmp(option, "--join")) sandbox->joined = number(value);
            else misuse("option", option);
        }
    }
    if (!*words || !words[1]) misuse("a program after", "--");
    return words + 1;
}

int main(int count, char **words) {
    (void)count;
    struct sandbox sandbox = {.memfd_noexec = -1, .user = -1};
    char **program = read_options(words + 1, &sandbox);
    for (int i = 0; i < sandbox.group_count; i++) join_group(sandbox.groups[i]);
    if (sandbox.joined) join_surroundings(sandbox.joined);
    change_surroundings(&sandbox);
    // Of another process as its user, of this one before a limit of the user's processes counts.
    if (sandbox.limited && sandbox.user >= 0) become(sandbox.user);
    for (int i = 0; i < sandbox.limit_count; i++) set_limit(sandbox.limits[i], sandbox.limited);
    if (!sandbox.limited && sandbox.user >= 0) become(sandbox.user);
    if (sandbox.in_flight > 0) send_into_the_void(sandbox.in_flight);
    enforce(sandbox.rules, sandbox.rule_count);
    for (int i = 0; i < sandbox.closed_count; i++) close(sandbox.closed[i]);
    execv(program[0], program);
    fail(program[0]);
}
