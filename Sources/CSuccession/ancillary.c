// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// A union, because a plain array of char need not be aligned for struct cmsghdr.
union control {
    struct cmsghdr alignment;
    char room[CMSG_SPACE(sizeof(int) * CSUCCESSION_MAXIMUM_DESCRIPTORS)
              + CMSG_SPACE(sizeof(struct ucred))];
};

int csuccession_send(
    int socket, const void *bytes, size_t length, const int *descriptors, size_t count) {
    union control control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    // A packet without bytes reads as end-of-file at the other end.
    if (length == 0 || count > CSUCCESSION_MAXIMUM_DESCRIPTORS) return -EINVAL;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return -errno;
    return (size_t)sent == length ? 0 : -EMSGSIZE;
}

// Takes over the descriptors of one control message; whatever is above `maximum` is closed at once.
static void take_descriptors(
    struct cmsghdr *header, size_t maximum, struct csuccession_ancillary *result) {
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int descriptor;
        memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
        if (result->count < maximum) {
            result->descriptors[result->count++] = descriptor;
        } else {
            close(descriptor);
            result->lost_descriptors = 1;
        }
    }
}

intptr_t csuccession_receive(
    int socket, void *bytes, size_t capacity, size_t maximum,
    struct csuccession_ancillary *result) {
    union control control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};

    if (maximum > CSUCCESSION_MAXIMUM_DESCRIPTORS) maximum = CSUCCESSION_MAXIMUM_DESCRIPTORS;
    // The kernel fills the room there is: too many small descriptors may fit in the place of the
    // credentials.
    message.msg_controllen = CMSG_SPACE(sizeof(struct ucred))
        + (maximum > 0 ? CMSG_SPACE(sizeof(int) * maximum) : 0);
    result->count = 0;
    result->has_sender = 0;

    ssize_t received;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;

    result->is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
    result->lost_descriptors = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_RIGHTS) {
            take_descriptors(header, maximum, result);
        } else if (
            header->cmsg_type == SCM_CREDENTIALS
            && header->cmsg_len >= CMSG_LEN(sizeof(struct ucred))) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(header), sizeof sender);
            result->sender = (struct csuccession_credentials){sender.pid, sender.uid, sender.gid};
            result->has_sender = 1;
        }
    }
    return received;
}
