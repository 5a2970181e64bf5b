// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

extension Syscall {
    /// What a descriptor can be ready for, as epoll(7) has it.
    package struct Readiness: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        package static let readable = Readiness(rawValue: UInt32(CSUCCESSION_READABLE))
        package static let writable = Readiness(rawValue: UInt32(CSUCCESSION_WRITABLE))
        /// The other side will send no more.
        package static let peerClosed = Readiness(rawValue: UInt32(CSUCCESSION_PEER_CLOSED))
        /// Reported whether asked for or not.
        package static let error = Readiness(rawValue: UInt32(CSUCCESSION_ERROR))
        /// Reported whether asked for or not.
        package static let hangUp = Readiness(rawValue: UInt32(CSUCCESSION_HANG_UP))
    }

    /// A descriptor that is ready.
    package struct Event: Sendable, Hashable {
        package var descriptor: CInt
        package var readiness: Readiness

        package init(descriptor: CInt, readiness: Readiness) {
            self.descriptor = descriptor
            self.readiness = readiness
        }
    }

    /// Makes an epoll instance.
    ///
    /// The corresponding C function is `epoll_create1`.
    package static func epollCreate() throws(Errno) -> OwnedDescriptor {
        try owned(csuccession_epoll_create())
    }

    /// Begins to watch a descriptor, level-triggered.
    ///
    /// EPERM: it is a file, which is always ready.
    ///
    /// Take it out again before it is closed: while another process holds the same open file, the
    /// kernel goes on reporting a number nobody can take out any more. The corresponding C function
    /// is `epoll_ctl`.
    package static func epollAdd(
        _ epoll: CInt, _ descriptor: CInt, _ interest: Readiness
    ) throws(Errno) {
        _ = try shim(csuccession_epoll_add(epoll, descriptor, interest.rawValue))
    }

    /// Watches a descriptor for something else.
    ///
    /// The corresponding C function is `epoll_ctl`.
    package static func epollModify(
        _ epoll: CInt, _ descriptor: CInt, _ interest: Readiness
    ) throws(Errno) {
        _ = try shim(csuccession_epoll_modify(epoll, descriptor, interest.rawValue))
    }

    /// Ends watching a descriptor.
    ///
    /// The corresponding C function is `epoll_ctl`.
    package static func epollRemove(_ epoll: CInt, _ descriptor: CInt) throws(Errno) {
        _ = try shim(csuccession_epoll_remove(epoll, descriptor))
    }

    /// At most as many descriptors are returned by one ``epollWait(_:timeout:)``.
    package static let eventsPerWait = 64

    /// Waits for at most `timeout` milliseconds (-1: without end) and returns what is ready, at
    /// most ``eventsPerWait`` descriptors.
    ///
    /// Empty when the time has passed, and when a signal came. The corresponding C function is
    /// `epoll_wait`.
    package static func epollWait(_ epoll: CInt, timeout: CInt) throws(Errno) -> [Event] {
        let none = csuccession_event(descriptor: -1, events: 0)
        return try withUnsafeTemporaryAllocation(
            of: csuccession_event.self, capacity: eventsPerWait
        ) {
            (buffer) throws(Errno) in
            buffer.initialize(repeating: none)
            let count = csuccession_epoll_wait(epoll, buffer.baseAddress, buffer.count, timeout)
            if count == -EINTR { return [] }
            return buffer.prefix(Int(try shim(count))).map {
                Event(descriptor: $0.descriptor, readiness: Readiness(rawValue: $0.events))
            }
        }
    }

    /// Makes a counter whose pollers wake when it is raised; non-blocking.
    ///
    /// The corresponding C function is `eventfd`.
    package static func eventDescriptor() throws(Errno) -> OwnedDescriptor {
        try owned(csuccession_eventfd())
    }

    /// Makes the counter readable.
    ///
    /// One that is full is so already.
    package static func signalEvent(_ fd: CInt) {
        var one: UInt64 = 1
        _ = try? retrying { write(fd, &one, 8) }
    }

    /// Makes the counter unreadable until it is signalled again.
    package static func drainEvent(_ fd: CInt) {
        var count: UInt64 = 0
        _ = try? retrying { Glibc.read(fd, &count, 8) }
    }

    /// Makes a pipe.
    ///
    /// The corresponding C function is `pipe2`.
    package static func pipe(
        nonBlocking: Bool
    ) throws(Errno) -> (read: OwnedDescriptor, write: OwnedDescriptor) {
        var ends: [CInt] = [-1, -1]
        _ = try shim(csuccession_pipe(&ends, nonBlocking ? 1 : 0))
        return (OwnedDescriptor(taking: ends[0]), OwnedDescriptor(taking: ends[1]))
    }
}
