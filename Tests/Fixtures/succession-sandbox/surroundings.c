// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void enter(int pid, const char *kind, int flag) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kind);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || setns(descriptor, flag) < 0) fail(path);
    close(descriptor);
}

// Waits for a process and ends as it did.
static _Noreturn void pass_on(int pid) {
    int status, ended;
    do ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended == pid && WIFEXITED(status)) _exit(WEXITSTATUS(status));
    if (ended == pid && WIFSIGNALED(status)) kill(getpid(), WTERMSIG(status));
    _exit(1);
}

// Of a new pid namespace: waits for all that are left behind, so that generations come and go.
static _Noreturn void be_init(int first) {
    int result = 1;
    for (;;) {
        int status, ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno == ECHILD) _exit(result);
        if (ended == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
}

void join_surroundings(int pid) {
    // The pid namespace first, by way of the /proc that can be seen from here.
    enter(pid, "pid", CLONE_NEWPID);
    enter(pid, "mnt", CLONE_NEWNS);
    // The test that starts the program waits for this process; the program is its child in the new namespace.
    int child = fork();
    if (child < 0) fail("fork");
    if (child > 0) pass_on(child);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void write_file(const char *path, const char *text) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0 || write(descriptor, text, strlen(text)) < 0) fail(path);
    close(descriptor);
}

static void set_memfd_noexec(int value) {
    if (unshare(CLONE_NEWPID) < 0) fail("a pid namespace");
    int init = fork();
    if (init < 0) fail("fork");
    if (init > 0) pass_on(init);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount("proc", "/proc", "proc", 0, NULL) < 0) fail("/proc");
    char text[16];
    snprintf(text, sizeof text, "%d\n", value);
    write_file("/proc/sys/vm/memfd_noexec", text);
    int first = fork();
    if (first < 0) fail("fork");
    if (first > 0) be_init(first);
}

static void mount_tmpfs(const char *text) {
    char *directory = strdup(text);
    char *options = directory ? strrchr(directory, ':') : NULL;
    if (!options) misuse("tmpfs", text);
    *options++ = 0;
    if (mount("tmpfs", directory, "tmpfs", 0, options) < 0) fail(text);
    free(directory);
}

void change_surroundings(const struct sandbox *sandbox) {
    if (!sandbox->hides_proc && !sandbox->hides_strangers && !sandbox->tmpfs_count
        && sandbox->memfd_noexec < 0) {
        return;
    }
    if (unshare(CLONE_NEWNS) < 0) fail("a mount namespace");
    // What is mounted here is seen nowhere else.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("mounts of its own");
    for (int i = 0; i < sandbox->tmpfs_count; i++) mount_tmpfs(sandbox->tmpfs[i]);
    if (sandbox->memfd_noexec >= 0) set_memfd_noexec(sandbox->memfd_noexec);
    if (sandbox->hides_strangers && mount("proc", "/proc", "proc", 0, "hidepid=2") < 0)
        fail("hidepid=2");
    if (sandbox->hides_proc && umount2("/proc", MNT_DETACH) < 0) fail("/proc");
}
