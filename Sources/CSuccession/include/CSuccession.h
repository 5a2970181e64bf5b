// SPDX-License-Identifier: Apache-2.0

#ifndef CSUCCESSION_H
#define CSUCCESSION_H

#include <stddef.h>
#include <stdint.h>

// What Swift cannot say. Swift's Glibc module is built without _GNU_SOURCE, does not import
// function-like macros and variadic functions, and its code may not run in a signal handler or
// between clone and exec.
//
// Only own structures and plain integers stand here: GNU types would not match those of the
// prebuilt Glibc module. Unless said otherwise a function returns a value >= 0, or the negative
// errno.

// MARK: ancillary.c: the CMSG_ macros are function-like

/// The kernel's SCM_MAX_FD.
enum { CSUCCESSION_MAXIMUM_DESCRIPTORS = 253 };

/// As struct ucred, which is GNU only.
struct csuccession_credentials {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

/// What came with the bytes of one message.
struct csuccession_ancillary {
    int descriptors[CSUCCESSION_MAXIMUM_DESCRIPTORS];
    size_t count;
    int is_truncated;
    int lost_descriptors;
    int has_sender;
    struct csuccession_credentials sender;
};

int csuccession_send(
    int socket, const void *bytes, size_t length, const int *descriptors, size_t count);
/// Returns the number of bytes; at most `maximum` descriptors arrive, more are closed and count as
/// lost.
intptr_t csuccession_receive(
    int socket, void *bytes, size_t capacity, size_t maximum, struct csuccession_ancillary *result);

// MARK: sockets.c

/// accept4 is GNU only. Non-blocking, close-on-exec.
int csuccession_accept(int socket, void *address, uint32_t *length);
/// SO_PEERCRED fills a struct ucred, which is GNU only.
int csuccession_peer_credentials(int socket, struct csuccession_credentials *result);
/// struct sockaddr_vm is in linux/vm_sockets.h, which no module has. Returns the length of the
/// address.
int csuccession_vsock_encode(uint32_t cid, uint32_t port, void *address, size_t capacity);
int csuccession_vsock_decode(
    const void *address, size_t length, uint32_t *cid, uint32_t *port);
/// struct tcp_info differs between libc's header and the kernel's; only this field of it is wanted.
int csuccession_tcp_backlog(int socket);
/// linux/unix_diag.h is in no module, and netlink messages are made by macros.
int csuccession_unix_backlog(int socket);

// MARK: events.c: epoll, eventfd and pipe2 are GNU only or in no module

struct csuccession_event {
    int descriptor;
    uint32_t events;
};

enum {
    CSUCCESSION_READABLE = 0x001,
    CSUCCESSION_WRITABLE = 0x004,
    CSUCCESSION_ERROR = 0x008,
    CSUCCESSION_HANG_UP = 0x010,
    CSUCCESSION_PEER_CLOSED = 0x2000,
};

int csuccession_epoll_create(void);
int csuccession_epoll_add(int epoll, int descriptor, uint32_t events);
int csuccession_epoll_modify(int epoll, int descriptor, uint32_t events);
int csuccession_epoll_remove(int epoll, int descriptor);
/// At most 64 events a call. struct epoll_event is packed on some machines.
int csuccession_epoll_wait(
    int epoll, struct csuccession_event *events, size_t capacity, int timeout_milliseconds);
int csuccession_eventfd(void);
int csuccession_pipe(int descriptors[2], int non_blocking);

// MARK: memory.c: memfd_create and the seals are GNU only

int csuccession_memory_file(const char *name, int allow_sealing);
int csuccession_seal(int descriptor);
/// 1 if the file can no longer shrink, grow or be written.
int csuccession_is_sealed(int descriptor);

// MARK: process.c: pidfd calls have no wrapper in glibc 2.35; WIFEXITED and its like are
// function-like macros

struct csuccession_exit {
    int was_signaled;
    /// The exit status or the number of the signal.
    int value;
    int dumped_core;
};

int csuccession_pidfd_open(int pid);
int csuccession_pidfd_send_signal(int pidfd, int signal);
/// 1: it has ended and is reaped; 0: it still runs. `pidfd` may be -1.
int csuccession_reap(int pidfd, int pid, struct csuccession_exit *result);
/// Any child: 1 and its pid, 0 if none has ended, -ECHILD if there is none.
int csuccession_reap_any(int *pid, struct csuccession_exit *result);
/// prctl is variadic. Orphans among the descendants of this process become its children.
int csuccession_become_subreaper(void);
/// 1: it has ended and somebody has reaped it; 0: not yet.
int csuccession_pidfd_exit(int pidfd, struct csuccession_exit *result);
/// 1: the number by which the kernel knows the process, never used again before the next boot; 0:
/// this kernel's pidfds have none (before 6.9). sys/vfs.h is in no module.
int csuccession_pidfd_identity(int pidfd, uint64_t *identity);
/// O_PATH is GNU only.
int csuccession_open_path_only(void);
/// environ is a mutable global, to which Swift 6 gives no access.
char **csuccession_environment(void);
/// sys/auxv.h is in no module. The path given to execve, or NULL.
const char *csuccession_executed_path(void);
/// pthread_setname_np is GNU only. At most 15 bytes count.
void csuccession_name_thread(const char *name);

/// sched_setattr(2), which the C library does not have. 0: the usual slice. Before Linux 6.12 nothing
/// changes. Async-signal-safe.
void csuccession_set_slice(uint64_t nanoseconds);

// MARK: spawn.c: clone is variadic, and Swift must not run between clone and exec

struct csuccession_spawn_request {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const int *sources;
    const int *targets;
    /// Room for `count` numbers.
    int *scratch;
    size_t count;
    /// NULL, or where the child writes its pid: room for 11 digits and a zero byte.
    char *own_pid;
    int new_session;
    int as_sibling;
    /// -1: stay.
    int working_directory;
    /// Signals that are ignored, and not at their default: bit 0 is signal 1.
    uint64_t ignored_signals;
};

/// Returns the pid; `pidfd` is -1 on kernels that have none.
int csuccession_spawn(const struct csuccession_spawn_request *request, int *pidfd);

// MARK: files.c: renameat2, copy_file_range and the interface of inotify are GNU only or in no module

enum {
    CSUCCESSION_NO_REPLACE = 1,
    CSUCCESSION_EXCHANGE = 2,
};

int csuccession_rename(const char *old_path, const char *new_path, unsigned flags);
/// From and to the offsets of the open files; shares the blocks where the file system can.
intptr_t csuccession_copy_range(int source, int target, size_t length);

enum {
    CSUCCESSION_TOUCHED = 0x4,
    CSUCCESSION_WRITTEN = 0x8,
    CSUCCESSION_NAME_CHANGED = 0x180,
    CSUCCESSION_NAME_GONE = 0x240,
    CSUCCESSION_SELF_GONE = 0xC00,
    CSUCCESSION_UNMOUNTED = 0x2000,
    CSUCCESSION_OVERFLOW = 0x4000,
    CSUCCESSION_IGNORED = 0x8000,
};

int csuccession_inotify(void);
/// Directories only. Returns the number of the watch.
int csuccession_inotify_add(int descriptor, const char *path, uint32_t mask);
/// getpwuid_r fills pointers into a buffer. Name and home have room for `capacity` bytes each.
int csuccession_user(uint32_t id, char *name, char *home, size_t capacity);

// MARK: relay.c: nothing says that Swift code may run in a signal handler

int csuccession_relay_install(int signal, int descriptor);
/// As csuccession_relay_install, with bit 7 of the byte set where the kernel itself sent the signal, as
/// the terminal's does to every process of the foreground group.
int csuccession_relay_install_with_origin(int signal, int descriptor);
int csuccession_relay_restore(int signal);

#endif
