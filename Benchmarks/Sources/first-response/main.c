// SPDX-License-Identifier: Apache-2.0
//
// first-response upgrade PORT PID                     the trigger is SIGUSR2 to who serves
// first-response upgrade PORT PID COMMAND [ARGUMENT…] the trigger is a program, by its start
// first-response start   PORT COMMAND [ARGUMENT…]     a server is started, and ended with SIGTERM
//
// Asks a server on 127.0.0.1 who it is, over a new connection each time, until somebody else
// answers. Prints the microseconds from the trigger to the end of that answer, its X-Generation,
// how many requests were sent and how many of them were lost. Returns when the old generation, the
// command or the started server is gone.
#define _GNU_SOURCE
#include "Measuring.h"
#include "http.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE = 10,
    // Between two requests, for all servers alike: without it this loop and the server that answers
    // it keep the processor busy that the successor is to start on.
    PAUSE_NS = 100000,
};

struct finding {
    double elapsed;
    pid_t generation;
    int requests, lost;
};

// Paces the load; nothing is waited for.
static void rest(void) {
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    nanosleep(&pause, NULL);
}

/// Asks until somebody other than `old` answers.
static struct finding wait_for_other_than(pid_t old, int port, double start, int may_be_refused) {
    struct finding finding = {0};
    for (;;) {
        enum answer answer = ask(port, &finding.generation);
        finding.elapsed = now_us() - start;
        finding.requests++;
        if (answer == ANSWERED && finding.generation != old)
            return finding;
        if (answer == LOST || (answer == REFUSED && !may_be_refused))
            finding.lost++;
        errno = 0;
        if (finding.elapsed > PATIENCE * 1e6)
            fail("nobody but %d answers on port %d", old, port);
        rest();
    }
}

/// Waits for the end of the old generation. A server in use is asked all the time, and one that is
/// about to leave may need it: the accept(2) of a Go program that passed its listener on can be a
/// blocking one, and then keeps it alive.
static void wait_until_gone(int pidfd, pid_t old, int port, struct finding *finding) {
    double deadline = now_us() + PATIENCE * 1e6;
    pid_t somebody;
    while (!is_gone(pidfd, 20)) {
        errno = 0;
        if (now_us() > deadline)
            fail("process %d is still there", old);
        finding->requests++;
        if (ask(port, &somebody) != ANSWERED)
            finding->lost++;
    }
}

static struct finding upgrade(int port, pid_t old, char *const *command) {
    pid_t serving;
    errno = 0;
    if (ask(port, &serving) != ANSWERED || serving != old)
        fail("process %d does not answer on port %d", old, port);
    int pidfd = pidfd_of(old);
    pid_t child = 0;
    double start = now_us();
    if (*command)
        child = spawn(command, STDERR_FILENO);
    else
        send_signal(pidfd, SIGUSR2);
    struct finding finding = wait_for_other_than(old, port, start, 0);
    errno = 0;
    if (child && wait_for_exit(child, PATIENCE) != 0)
        fail("%s failed", command[0]);
    wait_until_gone(pidfd, old, port, &finding);
    return finding;
}

static struct finding start(int port, char *const *command) {
    pid_t nobody;
    errno = 0;
    if (ask(port, &nobody) != REFUSED)
        fail("somebody is on port %d already", port);
    double start = now_us();
    pid_t server = spawn(command, STDERR_FILENO);
    struct finding finding = wait_for_other_than(0, port, start, 1);
    errno = 0;
    if (finding.generation != server)
        fail("%d answers for %d", finding.generation, server);
    kill(server, SIGTERM);
    if (wait_for_exit(server, PATIENCE) == 128 + SIGKILL)
        fail("%s had to be killed", command[0]);
    return finding;
}

int main(int count, char **arguments) {
    struct finding finding;
    // A pause is to be as long as it says, not up to 50 µs longer.
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (count >= 4 && strcmp(arguments[1], "upgrade") == 0)
        finding = upgrade(
            number(arguments[2], 1, 65535), number(arguments[3], 1, 1 << 22), arguments + 4);
    else if (count >= 4 && strcmp(arguments[1], "start") == 0)
        finding = start(number(arguments[2], 1, 65535), arguments + 3);
    else
        fail("upgrade PORT PID [COMMAND…] or start PORT COMMAND…");
    printf(
        "%.1f %d %d %d\n", finding.elapsed, finding.generation, finding.requests, finding.lost);
}
