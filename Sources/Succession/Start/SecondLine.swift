// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// Finds a service that lives although its lock could be taken: somebody has removed the lock, or the
/// whole runtime directory, and two lines of one service must not serve side by side.
@ControlThread
enum SecondLine {
    /// Who serves already; nil: nobody.
    ///
    /// `living` are the generations on whose sockets somebody listens; `isNewLock` tells that the lock
    /// was not there before.
    static func owner(
        of directory: RuntimeDirectory, living: [Int], isNewLock: Bool
    ) async -> String? {
        let members = living.isEmpty ? [] : await Crowd.ask(living, in: directory)
        // One that drains has let the lock go. Of one that says nothing only a lock that was there
        // tells that it does not serve.
        let serving = members.last { member in
            member.state.map { $0 != .draining } ?? isNewLock
        }
        if let serving { return "\(serving.description), and its lock has been removed" }
        guard isNewLock else { return nil }
        let nameless = ListeningSockets.names(in: directory.path).compactMap(Leftover.init)
            .first { $0.generation.map { !living.contains($0) } ?? false }
        return nameless.flatMap { found in
            found.generation.map { generation in
                "generation \(generation) (pid \(found.processID)) lives, and its control socket has been removed"
            }
        }
    }
}
