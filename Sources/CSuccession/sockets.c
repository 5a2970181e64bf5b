// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int csuccession_accept(int socket, void *address, uint32_t *length) {
    int connection;
    do {
        connection = accept4(socket, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (connection < 0 && errno == EINTR);
    return connection < 0 ? -errno : connection;
}

int csuccession_peer_credentials(int socket, struct csuccession_credentials *result) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *result = (struct csuccession_credentials){peer.pid, peer.uid, peer.gid};
    return 0;
}

int csuccession_vsock_encode(uint32_t cid, uint32_t port, void *address, size_t capacity) {
    struct sockaddr_vm encoded = {.svm_family = AF_VSOCK, .svm_port = port, .svm_cid = cid};
    if (capacity < sizeof encoded) return -ENOBUFS;
    memcpy(address, &encoded, sizeof encoded);
    return sizeof encoded;
}

int csuccession_vsock_decode(
    const void *address, size_t length, uint32_t *cid, uint32_t *port) {
    struct sockaddr_vm decoded;
    if (length < sizeof decoded) return -EINVAL;
    memcpy(&decoded, address, sizeof decoded);
    *cid = decoded.svm_cid;
    *port = decoded.svm_port;
    return 0;
}

int csuccession_tcp_backlog(int socket) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -errno;
    // Of a listener: the limit of its queue (and tcpi_unacked is how full it is).
    return info.tcpi_state == TCP_LISTEN ? (int)info.tcpi_sacked : -EINVAL;
}

int csuccession_unread(int socket) {
    int count = 0;
    return ioctl(socket, FIONREAD, &count) < 0 ? -errno : count;
}

struct unix_diag_query {
    struct nlmsghdr header;
    struct unix_diag_req request;
};

static int backlog_in_reply(const char *reply, size_t length) {
    const struct nlmsghdr *header = (const struct nlmsghdr *)reply;
    if (!NLMSG_OK(header, length)) return -EBADMSG;
    if (header->nlmsg_type == NLMSG_ERROR) return -ENOENT;
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY
        || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct unix_diag_msg))) {
        return -EBADMSG;
    }
    const struct unix_diag_msg *socket = NLMSG_DATA(header);
    const struct rtattr *attribute = (const struct rtattr *)(socket + 1);
    size_t rest = header->nlmsg_len - NLMSG_LENGTH(sizeof *socket);
    for (; RTA_OK(attribute, rest); attribute = RTA_NEXT(attribute, rest)) {
        if (attribute->rta_type != UNIX_DIAG_RQLEN) continue;
        struct unix_diag_rqlen queue;
        if (RTA_PAYLOAD(attribute) < sizeof queue) return -EBADMSG;
        memcpy(&queue, RTA_DATA(attribute), sizeof queue);
        return (int)queue.udiag_wqueue;
    }
    return -ENOENT;
}

int csuccession_unix_backlog(int socket_descriptor) {
    struct stat facts;
    if (fstat(socket_descriptor, &facts) < 0) return -errno;
    struct unix_diag_query query = {
        .header = {
            .nlmsg_len = sizeof query,
            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
            .nlmsg_flags = NLM_F_REQUEST,
        },
        .request = {
            .sdiag_family = AF_UNIX,
            .udiag_states = ~0U,
            .udiag_ino = (uint32_t)facts.st_ino,
            .udiag_show = UDIAG_SHOW_RQLEN,
            .udiag_cookie = {~0U, ~0U},
        },
    };
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0) return -errno;
    _Alignas(struct nlmsghdr) char reply[1024];
    ssize_t length = send(netlink, &query, sizeof query, 0);
    // The kernel answers before send returns, so there is nothing to wait for.
    if (length >= 0) length = recv(netlink, reply, sizeof reply, MSG_DONTWAIT);
    int result = length < 0 ? -errno : backlog_in_reply(reply, (size_t)length);
    close(netlink);
    return result;
}

struct unmasked_bind {
    int socket;
    const void *address;
    uint32_t length;
    int error;
};

static int bind_unmasked(void *argument) {
    struct unmasked_bind *request = argument;
    // Its own: CLONE_FS is not among the flags.
    umask(0);
    request->error =
        bind(request->socket, request->address, request->length) < 0 ? errno : 0;
    _exit(0);
}

static void *bind_on_a_thread(void *argument) {
    struct unmasked_bind *request = argument;
    // The mask of this thread alone from here on; where that is refused too, the process's stays.
    if (unshare(CLONE_FS) == 0) umask(0);
    request->error =
        bind(request->socket, request->address, request->length) < 0 ? errno : 0;
    return NULL;
}

int csuccession_bind_unmasked(int socket, const void *address, uint32_t length) {
    struct unmasked_bind request = {socket, address, length, EAGAIN};
    sigset_t all, before;
    // Part of this thread's own, which stands still until the child is gone.
    _Alignas(16) char stack[16384];

    // No handler may run in the child, which shares the memory.
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    // No signal at its end: nobody else's wait is disturbed.
    int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES;
    int pid = clone(bind_unmasked, stack + sizeof stack, flags, &request);
    int error = pid < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        // A sandbox refuses such a clone, or no more processes may run.
        pthread_t thread;
        if (pthread_create(&thread, NULL, bind_on_a_thread, &request) != 0) return -error;
        pthread_join(thread, NULL);
        return request.error == 0 ? 0 : -request.error;
    }

    int status;
    while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {}
    return request.error == 0 ? 0 : -request.error;
}
