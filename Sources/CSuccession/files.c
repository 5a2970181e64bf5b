// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(CSUCCESSION_EXCHANGE == RENAME_EXCHANGE, "as the kernel");
_Static_assert(CSUCCESSION_NO_REPLACE == RENAME_NOREPLACE, "as the kernel");
_Static_assert(CSUCCESSION_NAME_CHANGED == (IN_CREATE | IN_MOVED_TO), "as the kernel");
_Static_assert(CSUCCESSION_NAME_GONE == (IN_DELETE | IN_MOVED_FROM), "as the kernel");
_Static_assert(CSUCCESSION_WRITTEN == IN_CLOSE_WRITE, "as the kernel");
_Static_assert(CSUCCESSION_TOUCHED == IN_ATTRIB, "as the kernel");
_Static_assert(CSUCCESSION_SELF_GONE == (IN_DELETE_SELF | IN_MOVE_SELF), "as the kernel");
_Static_assert(CSUCCESSION_UNMOUNTED == IN_UNMOUNT, "as the kernel");
_Static_assert(CSUCCESSION_OVERFLOW == IN_Q_OVERFLOW, "as the kernel");
_Static_assert(CSUCCESSION_IGNORED == IN_IGNORED, "as the kernel");

int csuccession_rename_at(
    int old_directory, const char *old_name, int new_directory, const char *new_name,
    unsigned flags) {
    // Without flags by the older call, which every file system and every sandbox knows.
    if (flags == 0) return renameat(old_directory, old_name, new_directory, new_name);
    return renameat2(old_directory, old_name, new_directory, new_name, flags);
}

int csuccession_rename(const char *old_path, const char *new_path, unsigned flags) {
    return renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, flags) < 0 ? -errno : 0;
}

intptr_t csuccession_copy_range(int source, int target, size_t length) {
    ssize_t count = copy_file_range(source, NULL, target, NULL, length, 0);
    return count < 0 ? -errno : count;
}

int csuccession_inotify(void) {
    int descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int csuccession_inotify_add(int descriptor, const char *path, uint32_t mask) {
    int watch = inotify_add_watch(descriptor, path, mask | IN_ONLYDIR);
    return watch < 0 ? -errno : watch;
}

int csuccession_user(uint32_t id, char *name, char *home, size_t capacity) {
    char buffer[4096];
    struct passwd entry, *found = NULL;
    int error = getpwuid_r(id, &entry, buffer, sizeof buffer, &found);
    if (error != 0) return -error;
    if (!found) return -ENOENT;
    int lengths[] = {
        snprintf(name, capacity, "%s", entry.pw_name), snprintf(home, capacity, "%s", entry.pw_dir)};
    return lengths[0] >= (int)capacity || lengths[1] >= (int)capacity ? -ENAMETOOLONG : 0;
}

int csuccession_user_groups(uint32_t id, uint32_t *primary, uint32_t *groups, size_t capacity) {
    char buffer[4096];
    struct passwd entry, *found = NULL;
    int error = getpwuid_r(id, &entry, buffer, sizeof buffer, &found);
    if (error != 0) return -error;
    if (!found) return -ENOENT;
    _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "as the kernel");
    int count = (int)capacity;
    if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) < 0) count = (int)capacity;
    *primary = entry.pw_gid;
    return count;
}

// Where a sandbox denies the call, nobody has ever changed what it would return.
uint32_t csuccession_file_user(void) {
    int user = setfsuid((uid_t)-1);
    return user == -1 ? geteuid() : (uint32_t)user;
}

uint32_t csuccession_file_group(void) {
    int group = setfsgid((gid_t)-1);
    return group == -1 ? getegid() : (uint32_t)group;
}

int csuccession_groups(uint32_t *groups, size_t capacity) {
    int count = getgroups((int)capacity, groups);
    return count < 0 ? -errno : count;
}

int csuccession_set_file_rights(
    uint32_t user, uint32_t group, const uint32_t *groups, size_t count) {
    // The last two report no error: what they return is what was before.
    if (syscall(SYS_setgroups, count, groups) < 0) return -errno;
    setfsgid(group);
    if (csuccession_file_group() != group) return -EPERM;
    setfsuid(user);
    return csuccession_file_user() == user ? 0 : -EPERM;
}
