// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert(CSUCCESSION_READABLE == (int)EPOLLIN, "as the kernel");
_Static_assert(CSUCCESSION_WRITABLE == (int)EPOLLOUT, "as the kernel");
_Static_assert(CSUCCESSION_ERROR == (int)EPOLLERR, "as the kernel");
_Static_assert(CSUCCESSION_HANG_UP == (int)EPOLLHUP, "as the kernel");
_Static_assert(CSUCCESSION_PEER_CLOSED == (int)EPOLLRDHUP, "as the kernel");

enum { EVENTS_PER_CALL = 64 };

int csuccession_epoll_create(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    return epoll < 0 ? -errno : epoll;
}

static int control(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    return epoll_ctl(epoll, operation, descriptor, &event) < 0 ? -errno : 0;
}

int csuccession_epoll_add(int epoll, int descriptor, uint32_t events) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, events);
}

int csuccession_epoll_modify(int epoll, int descriptor, uint32_t events) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events);
}

int csuccession_epoll_remove(int epoll, int descriptor) {
    return control(epoll, EPOLL_CTL_DEL, descriptor, 0);
}

int csuccession_epoll_wait(
    int epoll, struct csuccession_event *events, size_t capacity, int timeout_milliseconds) {
    struct epoll_event ready[EVENTS_PER_CALL];
    int limit = capacity < EVENTS_PER_CALL ? (int)capacity : EVENTS_PER_CALL;
    int count = epoll_wait(epoll, ready, limit, timeout_milliseconds);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) {
        events[i] = (struct csuccession_event){ready[i].data.fd, ready[i].events};
    }
    return count;
}

int csuccession_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int csuccession_pipe(int descriptors[2], int non_blocking) {
    return pipe2(descriptors, O_CLOEXEC | (non_blocking ? O_NONBLOCK : 0)) < 0 ? -errno : 0;
}
