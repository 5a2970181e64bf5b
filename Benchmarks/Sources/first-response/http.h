// SPDX-License-Identifier: Apache-2.0
#ifndef HTTP_H
#define HTTP_H

#include <sys/types.h>

/// How a request ended.
enum answer {
    ANSWERED,
    /// Nobody listens.
    REFUSED,
    /// Reset, closed in the middle, or not an answer.
    LOST,
};

/// Sends `GET /` to 127.0.0.1 over a new connection and reads the whole answer; `generation` gets
/// its X-Generation.
enum answer ask(int port, pid_t *generation);

#endif
