// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SystemPackage

/// What keeps a successor from being started, in words that say what to do.
extension Failure {
    /// The program at `path` could not be executed.
    static func executing(_ path: String, _ errno: Errno) -> Failure {
        if path.isEmpty {
            return Failure(
                code: .start,
                reason:
                    "the path of this program is not known (is /proc mounted?): name the successor, swapctl upgrade SERVICE -- PROGRAM"
            )
        }
        let hint =
            switch errno {
            case .noSuchFileOrDirectory: "there is no such file (or its interpreter is missing)"
            case .permissionDenied: "it is not executable for this user"
            case .execFormatError: "it is no program for this machine"
            case .resourceTemporarilyUnavailable:
                "no more processes may run: RLIMIT_NPROC of this user, or the limit of the control group (pids.max), is reached"
            case .notPermitted, .noFunction:
                "\(errno): a sandbox (seccomp, a security module) refuses clone or execve"
            default: "\(errno)"
            }
        return Failure(code: .start, reason: "cannot execute \(path): \(hint)")
    }

    /// A message could not be sent to a successor that lives and reads.
    static func sending(_ kind: Message.Kind, _ errno: Errno) -> Failure {
        let hint =
            switch errno {
            case .tooManyReferences:
                "\(errno): more descriptors of this user are on their way in Unix sockets than RLIMIT_NOFILE allows; upgrade again when they have arrived"
            case .noBufferSpace, .noMemory:
                "\(errno): the kernel has no memory for it; upgrade again"
            default: "\(errno)"
            }
        return Failure(
            code: .channel, reason: "cannot send '\(kind.rawValue)' to the successor: \(hint)")
    }
}

extension LaunchPlan {
    /// This side's end of the channel, and the successor's.
    static func makeChannel() throws(Failure) -> (OwnedDescriptor, OwnedDescriptor) {
        do {
            return try Syscall.socketPair(type: .sequencedPacket, nonBlocking: true)
        } catch {
            throw Failure(
                code: .start,
                reason: "cannot make the channel to a successor: socketpair(AF_UNIX): \(error)")
        }
    }
}
