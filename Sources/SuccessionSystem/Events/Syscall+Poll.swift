// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

extension Syscall {
    package static let pollIn = CShort(POLLIN)
    package static let pollOut = CShort(POLLOUT)
    package static let pollError = CShort(POLLERR)
    package static let pollHangUp = CShort(POLLHUP)
    package static let pollInvalid = CShort(POLLNVAL)

    /// Waits until a descriptor is ready (true) or the time has passed (false); -1 waits without
    /// end.
    ///
    /// An error or hang-up of the descriptor counts as ready: the next call on it tells. A signal
    /// does not end the wait. The corresponding C function is `poll`.
    package static func poll(
        _ fd: CInt, events: CShort, timeoutMilliseconds: CInt
    ) throws(Errno) -> Bool {
        try poll([(fd: fd, events: events)], timeoutMilliseconds: timeoutMilliseconds)[0] != 0
    }

    /// Waits for several descriptors, and returns for each what it is ready for; 0 is not ready.
    ///
    /// A negative descriptor is passed over. A signal does not end the wait. The corresponding C
    /// function is `poll`.
    package static func poll(
        _ entries: [(fd: CInt, events: CShort)], timeoutMilliseconds: CInt
    ) throws(Errno) -> [CShort] {
        var polled = entries.map { pollfd(fd: $0.fd, events: $0.events, revents: 0) }
        let start = monotonicNanoseconds()
        var left = timeoutMilliseconds
        while Glibc.poll(&polled, nfds_t(polled.count), left) < 0 {
            let error = Errno(rawValue: errno)
            guard error == .interrupted else { throw error }
            if timeoutMilliseconds > 0 {
                let passed = (monotonicNanoseconds() - start) / 1_000_000
                left = CInt(max(0, Int64(timeoutMilliseconds) - Int64(passed)))
            }
        }
        return polled.map(\.revents)
    }

    /// Writes what can be written without waiting, a page at a time, and returns how much that was.
    ///
    /// For a log on a thread that must not stand still: the reader of a pipe may have stopped,
    /// and other processes may fill it at any moment. One whose reader is gone takes nothing, and
    /// raises no SIGPIPE. The corresponding C function is `pwritev2` with RWF_NOWAIT.
    @discardableResult
    package static func writeWithoutWaiting(_ fd: CInt, _ bytes: [UInt8]) -> Int {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.prefix(4_096).withUnsafeBytes {
                csuccession_write_now(fd, $0.baseAddress, $0.count)
            }
            if count == -Int(EINTR) { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        return bytes.count - rest.count
    }

    /// A clock that is the same in every process and never set; it stands still while the machine
    /// sleeps.
    ///
    /// The corresponding C function is `clock_gettime` with CLOCK_MONOTONIC.
    package static func monotonicNanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
