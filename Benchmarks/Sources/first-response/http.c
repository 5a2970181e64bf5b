// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "http.h"
#include "Measuring.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: benchmark\r\nConnection: close\r\n\r\n";

static int connected(int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Longer than any figure, shorter than the patience of who runs this.
    struct timeval patience = {.tv_sec = 5};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (descriptor < 0)
        fail("socket");
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

/// The value of a header; NULL if the head has none of that name.
static const char *header(const char *head, const char *name) {
    const char *line = strcasestr(head, name);
    return line ? line + strlen(name) : NULL;
}

/// Whether the text is a whole answer: the head, and as much as its Content-Length says.
static int is_whole(const char *text) {
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = header(text, "\r\nContent-Length:");
    return end && length && length < end && strlen(end + 4) >= strtoul(length, NULL, 10);
}

static int read_answer(int descriptor, char *text, size_t size) {
    size_t filled = 0;
    text[0] = 0;
    while (!is_whole(text)) {
        ssize_t count = read(descriptor, text + filled, size - 1 - filled);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        filled += count;
        text[filled] = 0;
    }
    return 1;
}

enum answer ask(int port, pid_t *generation) {
    char text[4096];
    int descriptor = connected(port);
    if (descriptor < 0)
        return errno == ECONNREFUSED ? REFUSED : LOST;
    int is_answered = send(descriptor, request, sizeof request - 1, MSG_NOSIGNAL) > 0
        && read_answer(descriptor, text, sizeof text);
    close(descriptor);
    const char *value = is_answered ? header(text, "\r\nX-Generation:") : NULL;
    if (!value || strncmp(text, "HTTP/1.1 200 ", 13) != 0)
        return LOST;
    *generation = (pid_t)strtol(value, NULL, 10);
    return ANSWERED;
}
