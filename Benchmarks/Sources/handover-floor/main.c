// SPDX-License-Identifier: Apache-2.0
//
// handover-floor LISTENERS
//
// What the kernel asks for a hand-over: one process passes listening TCP sockets to another over a
// SEQPACKET socket pair, 250 to a message, each message acknowledged. Prints the microseconds from
// `hello` to the last `taken`, seen by the process that gives. One hand-over and the program ends,
// as a generation hands over once in its life.
#define _GNU_SOURCE
#include "Measuring.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 250, TEXT = 65536 };

static char text[TEXT];
static union {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(BATCH * sizeof(int))];
} control;

static struct msghdr *message_of(struct iovec *vector) {
    static struct msghdr message;
    message = (struct msghdr){
        .msg_iov = vector,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    return &message;
}

static void send_batch(int channel, const int *listeners, int count, int index, int batches) {
    int length = snprintf(
        text, sizeof text, "SUCCESSION/1 offer\nBATCH=%d/%d\nFDS=%d\n\n", index, batches, count);
    for (int i = 0; i < count; i++)
        length += snprintf(
            text + length, sizeof text - length, "tcp:127.0.0.1:1 bound 128 tcp-%d\n", i);
    struct iovec vector = {text, length};
    struct msghdr *message = message_of(&vector);
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), listeners, count * sizeof(int));
    if (sendmsg(channel, message, MSG_NOSIGNAL) != length)
        fail("sendmsg");
}

static int receive_batch(int channel) {
    struct iovec vector = {text, sizeof text};
    struct msghdr *message = message_of(&vector);
    if (recvmsg(channel, message, MSG_CMSG_CLOEXEC) <= 0)
        fail("recvmsg");
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    errno = 0;
    if (message->msg_flags & (MSG_CTRUNC | MSG_TRUNC) || !header)
        fail("a message was cut off");
    return (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static void say(int channel, const char *word) {
    if (send(channel, word, strlen(word), MSG_NOSIGNAL) < 0)
        fail("send");
}

static void hear(int channel, const char *word) {
    ssize_t length = recv(channel, text, sizeof text, 0);
    if (length < 0)
        fail("recv");
    if ((size_t)length != strlen(word) || memcmp(text, word, length) != 0)
        fail("'%.*s' in the place of '%s'", (int)length, text, word);
}

static _Noreturn void succeed(int channel, int expected) {
    // The listeners are there before it all begins.
    hear(channel, "begin");
    say(channel, "SUCCESSION/1 hello\n");
    for (int taken = 0; taken < expected;) {
        taken += receive_batch(channel);
        say(channel, "SUCCESSION/1 taken\n");
    }
    // With the descriptors open until the predecessor has its figure.
    hear(channel, "");
    _exit(0);
}

static int listener(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0
        || listen(descriptor, 128) < 0)
        fail("a listener");
    return descriptor;
}

static double hand_over(int channel, const int *listeners, int count) {
    int batches = (count + BATCH - 1) / BATCH;
    say(channel, "begin");
    hear(channel, "SUCCESSION/1 hello\n");
    double start = now_us();
    for (int i = 0; i < batches; i++) {
        int size = count - i * BATCH < BATCH ? count - i * BATCH : BATCH;
        send_batch(channel, listeners + i * BATCH, size, i + 1, batches);
        hear(channel, "SUCCESSION/1 taken\n");
    }
    return now_us() - start;
}

int main(int argc, char **argv) {
    if (argc != 2)
        fail("how many listeners?");
    int count = (int)number(argv[1], 1, 100000);
    int channel[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
        fail("socketpair");
    // Before there are listeners: a successor is born without them.
    pid_t successor = fork();
    if (successor < 0)
        fail("fork");
    if (successor == 0) {
        close(channel[0]);
        succeed(channel[1], count);
    }
    close(channel[1]);
    int *listeners = calloc(count, sizeof(int));
    if (!listeners)
        fail("calloc");
    for (int i = 0; i < count; i++)
        listeners[i] = listener();
    double elapsed = hand_over(channel[0], listeners, count);
    close(channel[0]);
    if (wait_for_exit(successor, 10) != 0)
        fail("the successor failed");
    printf("%.1f\n", elapsed);
}
