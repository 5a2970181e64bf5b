// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
import SystemPackage

/// Lets connections out of a listener's queue while this generation accepts.
///
/// The lock is held across accept4(2), which does not block: once ``pause()`` has returned, nothing
/// more is taken from the queue, and what was taken has been handed to the application.
final class AcceptGate: Sendable {
    enum Mode {
        /// Not yet, or for the moment not: callers wait.
        case paused
        case open
        /// Never again: callers get nil.
        case closed
    }

    enum Attempt {
        case accepted(OwnedDescriptor, SocketAddress)
        case queueEmpty
        case paused
        case closed
        case failed(Errno)
    }

    private let mode = Mutex(Mode.paused)

    func attempt(_ listener: OwnedDescriptor) -> Attempt {
        mode.withLock { mode in
            switch mode {
            case .paused: return .paused
            case .closed: return .closed
            case .open: break
            }
            do throws(Errno) {
                let (connection, peer) = try Syscall.accept(listener.rawValue)
                return .accepted(connection, peer)
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
