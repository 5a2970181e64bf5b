// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

// An open file description of this thread's own: O_NONBLOCK on the one that is shared would change
// how others write.
static ssize_t write_reopened(int descriptor, const void *bytes, size_t count) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0) return -1;
    ssize_t written = write(own, bytes, count);
    int error = errno;
    close(own);
    errno = error;
    return written;
}

static ssize_t write_polled(int descriptor, const void *bytes, size_t count) {
    struct pollfd polled = {.fd = descriptor, .events = POLLOUT};
    if (poll(&polled, 1, 0) == 1 && polled.revents == POLLOUT) {
        return write(descriptor, bytes, count);
    }
    errno = EAGAIN;
    return -1;
}

static ssize_t write_now(int descriptor, const void *bytes, size_t count) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -1;
    // A file takes what is written; whether its blocks are cached is not to decide that.
    if (S_ISREG(status.st_mode)) return write(descriptor, bytes, count);
    if (S_ISSOCK(status.st_mode)) {
        return send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    ssize_t written = pwritev2(descriptor, &part, 1, -1, RWF_NOWAIT);
    // Pipes know the flag since Linux 6.4, terminals do not.
    if (written >= 0 || errno == EAGAIN || errno == EPIPE || errno == EINTR) return written;
    written = write_reopened(descriptor, bytes, count);
    if (written >= 0 || errno == EAGAIN || errno == EPIPE || errno == EINTR) return written;
    // ENXIO: nobody reads the pipe. Otherwise: no descriptor left, no /proc, another user's pipe.
    if (errno == ENXIO) return -1;
    return write_polled(descriptor, bytes, count);
}

intptr_t csuccession_write_now(int descriptor, const void *bytes, size_t count) {
    sigset_t broken, before, pending;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    sigpending(&pending);
    ssize_t written = write_now(descriptor, bytes, count);
    int error = errno;
    if (written < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
        // The signal that came with it; a reader that leaves is no reason to end.
        struct timespec none = {0};
        while (sigtimedwait(&broken, NULL, &none) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return written < 0 ? -error : written;
}
