// SPDX-License-Identifier: Apache-2.0

#ifndef SUCCESSION_SANDBOX_H
#define SUCCESSION_SANDBOX_H

#include <stdint.h>
#include <stdio.h>

enum { MAXIMUM_RULES = 16, MAXIMUM_WORDS = 16 };

enum condition { ALWAYS, ANY_BIT, NO_BIT, EQUAL };

/// A system call that is answered with an error, and when.
struct rule {
    int number;
    enum condition condition;
    unsigned argument;
    uint32_t value;
    int error;
    /// Only when descriptors go with the message: the kernel's filter cannot see that.
    int with_descriptors;
    /// Only so often, after so many that were let pass; -1: always.
    int times;
    int passed;
};

/// Everything that is different for the program.
struct sandbox {
    struct rule rules[MAXIMUM_RULES];
    int rule_count;
    /// `nofile=64`
    const char *limits[MAXIMUM_WORDS];
    int limit_count;
    /// `DIRECTORY:OPTIONS`
    const char *tmpfs[MAXIMUM_WORDS];
    int tmpfs_count;
    const char *groups[MAXIMUM_WORDS];
    int group_count;
    int closed[MAXIMUM_WORDS];
    int closed_count;
    int hides_proc;
    int hides_strangers;
    /// -1: as it is.
    int memfd_noexec;
    int user;
    /// Descriptors in flight, which the user's limit counts.
    int in_flight;
    /// 0: this one. Whose limits are set.
    int limited;
    /// 0: none. Whose mounts, and whose processes, are to be seen.
    int joined;
};

/// Reads `CALL[/CONDITION]=ERROR[*TIMES[@PASSED]]`; ends the program if it is no such rule.
void read_rule(const char *text, struct rule *rule);
/// Has the rules hold for this process and all that it starts.
void enforce(const struct rule *rules, int count);
void change_surroundings(const struct sandbox *sandbox);
void join_surroundings(int pid);
_Noreturn void fail(const char *what);
_Noreturn void misuse(const char *what, const char *word);

#endif
