// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CSuccession.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int csuccession_memory_file(const char *name, int allow_sealing) {
    // Without this flag a system may refuse the file or log a warning (sysctl vm.memfd_noexec).
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL | MFD_ALLOW_SEALING);
    if (descriptor >= 0) {
        // It implies sealing; a file that must not be sealed gets the seal that allows no other.
        if (allow_sealing || fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL) == 0) return descriptor;
        close(descriptor);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        return -errno;
    }
    // EINVAL before Linux 6.3; a sandbox that does not know the flag says something else.
    descriptor = memfd_create(name, MFD_CLOEXEC | (allow_sealing ? MFD_ALLOW_SEALING : 0));
    return descriptor < 0 ? -errno : descriptor;
}

int csuccession_seal(int descriptor) {
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    return fcntl(descriptor, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int csuccession_is_sealed(int descriptor) {
    int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals < 0 ? -errno : (seals & wanted) == wanted;
}
