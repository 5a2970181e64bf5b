// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
import SystemPackage

/// Lets connections out of a listener's queue while this generation accepts.
///
/// The lock is held across accept4(2), which must not block, and until what was taken is counted:
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
        /// Descriptors are used up, but for those that the process needs itself.
        case noRoom
        case failed(Errno)
    }

    private let mode = Mutex(Mode.paused)

    /// O_NONBLOCK is shared with every process that has the socket, and any of them may have cleared
    /// it: an accept4(2) that then finds an empty queue would hold this lock, and with it every
    /// pause, until somebody connects.
    ///
    /// - Parameter count: makes the connection one of those that a drain waits for.
    /// - Parameter isQueue: whether the descriptor tells that a connection waits, as listeners do.
    func attempt(
        _ listener: OwnedDescriptor, isQueue: Bool = true,
        counting count: (OwnedDescriptor, SocketAddress) -> Connection
    ) -> Attempt {
        mode.withLock { mode in
            switch mode {
            case .paused: return .paused
            case .closed: return .closed
            case .open: break
            }
            do throws(Errno) {
                if isQueue, try !Self.isWaitedFor(listener.rawValue) { return .queueEmpty }
                guard DescriptorReserve.shared.hasRoom(probing: listener.rawValue) else {
                    return .noRoom
                }
                try? Syscall.setNonBlocking(listener.rawValue, true)
                let (connection, peer) = try Syscall.accept(listener.rawValue)
                DescriptorReserve.shared.took(connection.rawValue)
                return .accepted(count(connection, peer))
            } catch {
                if error == .resourceTemporarilyUnavailable || error == .wouldBlock {
                    return .queueEmpty
                }
                if error == .tooManyOpenFiles { DescriptorReserve.shared.ranOut() }
                return .failed(error)
            }
        }
    }

    private static func isWaitedFor(_ listener: CInt) throws(Errno) -> Bool {
        try Syscall.poll(listener, events: Syscall.pollIn, timeoutMilliseconds: 0)
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
