// SPDX-License-Identifier: Apache-2.0
#ifndef MEASURING_H
#define MEASURING_H

#include <stdint.h>
#include <sys/types.h>

/// Microseconds on the monotonic clock.
double now_us(void);

/// Ends the program with a message; with that of errno too if it is not 0.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Reads a number from the command line, or ends the program.
long number(const char *text, long least, long most);

/// Starts a program (looked for in PATH if it has no slash), its standard output on `output`;
/// -1: where ours is.
pid_t spawn(char *const *command, int output);

/// Waits for the end of a child, or kills it after some seconds; returns its exit status, 128 + n
/// for signal n.
int wait_for_exit(pid_t pid, int seconds);

int pidfd_of(pid_t pid);

void send_signal(int pidfd, int signal);

/// Waits for the end of a process that need not be a child; returns 0 if it still lives after this
/// time.
int is_gone(int pidfd, int milliseconds);

#endif
