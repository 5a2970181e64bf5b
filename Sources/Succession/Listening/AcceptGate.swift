// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
import SystemPackage

/// Lets connections out of a listener's queue while this generation accepts.
///
/// The lock is held across accept4(2), which does not block, and until what was taken is counted:
/// once ``set(_:)`` has returned, nothing more is taken from the queue, and a drain that looks for
/// open connections sees every one that was.
final class AcceptGate: Sendable {
    enum Mode {
        /// Not yet, or for the moment not: callers wait.
        case paused
        case open
        /// Never again: callers get nil.
        case closed
    }

    enum Attempt {
        case accepted(Connection)
        case queueEmpty
        case paused
        case closed
        case failed(Errno)
    }

    private let mode = Mutex(Mode.paused)

    /// - Parameter count: makes the connection one of those that a drain waits for.
    func attempt(
        _ listener: OwnedDescriptor,
        counting count: (OwnedDescriptor, SocketAddress) -> Connection
    ) -> Attempt {
        mode.withLock { mode in
            switch mode {
            case .paused: return .paused
            case .closed: return .closed
            case .open: break
            }
            do throws(Errno) {
                let (connection, peer) = try Syscall.accept(listener.rawValue)
                return .accepted(count(connection, peer))
            } catch {
                if error == .resourceTemporarilyUnavailable || error == .wouldBlock {
                    return .queueEmpty
                }
                return .failed(error)
            }
        }
    }

    func set(_ newMode: Mode) {
        mode.withLock { mode in
            switch mode {
            case .paused, .open: mode = newMode
            // Final: the application has been told that there is nothing more to come.
            case .closed: break
            }
        }
    }

    var isClosed: Bool { mode.withLock { $0 == .closed } }
    var isOpen: Bool { mode.withLock { $0 == .open } }
}
