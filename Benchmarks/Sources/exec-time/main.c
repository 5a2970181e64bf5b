// SPDX-License-Identifier: Apache-2.0
//
// exec-time COMMAND [ARGUMENT…]
//
// Prints the microseconds from before a program is started until it has been waited for. Its
// standard output goes to /dev/null; if it fails, so does exec-time.
#include "Measuring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

int main(int count, char **arguments) {
    if (count < 2)
        fail("what is to be started?");
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    double start = now_us();
    pid_t pid = spawn(arguments + 1, nowhere);
    int status;
    if (waitpid(pid, &status, 0) < 0)
        fail("waitpid");
    double end = now_us();
    errno = 0;
    if (status != 0)
        fail("%s failed with wait status %#x", arguments[1], status);
    printf("%.1f\n", end - start);
}
