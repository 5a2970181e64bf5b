// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

extension Connection {
    /// Reads what is there, waiting for it if need be; empty at end-of-file.
    ///
    /// One task at a time may read or write. Throws what `read(2)` fails with as the error's cause,
    /// EBADF once the connection is closed; a deadline that cuts the connection looks like end-of-file.
    /// A cancelled task gets bytes that are there, and ``SuccessionError/Code/cancelled`` in the place of
    /// a wait: nothing that has come is lost.
    ///
    /// - Parameter count: bytes, at most.
    @concurrent
    public func read(atMost count: Int = 65_536) async throws(SuccessionError) -> [UInt8] {
        while true {
            let attempt = withUnsafeDescriptor { fd -> Result<[UInt8], Errno> in
                Result { () throws(Errno) in try Syscall.read(fd.rawValue, count: count) }
            }
            switch attempt {
            case .success(let bytes): return bytes
            case .failure(.resourceTemporarilyUnavailable): try await wait(.readable)
            case .failure(let errno): throw .system("cannot read from \(peer)", errno)
            }
        }
    }

    /// Writes all bytes, waiting for room if need be.
    ///
    /// Throws what `send(2)` fails with as the error's cause, EPIPE if the other end is gone; SIGPIPE is
    /// not raised. A cancelled task throws ``SuccessionError/Code/cancelled`` in the place of a wait: a
    /// part of the bytes may have been sent then, so close the connection.
    @concurrent
    public func write(_ bytes: [UInt8]) async throws(SuccessionError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let attempt = withUnsafeDescriptor { fd -> Result<Int, Errno> in
                Result { () throws(Errno) in try Syscall.send(fd.rawValue, Array(rest)) }
            }
            switch attempt {
            case .success(let count): rest = rest.dropFirst(count)
            case .failure(.resourceTemporarilyUnavailable): try await wait(.writable)
            case .failure(let errno): throw .system("cannot write to \(peer)", errno)
            }
        }
    }

    private func wait(_ readiness: Syscall.Readiness) async throws(SuccessionError) {
        if Task.isCancelled { throw SuccessionError(.cancelled, "the task was cancelled") }
        do {
            try await ControlThread.wait(for: self, readiness)
        } catch {
            throw .system("cannot wait for \(peer)", error)
        }
    }
}

extension ControlThread {
    /// Returns when the connection is ready or closed, or when the task is cancelled.
    @ControlThread
    fileprivate static func wait(
        for connection: Connection, _ readiness: Syscall.Readiness
    ) async throws(Errno) {
        let signal = OneShot<Void>()
        defer { connection.endWait(with: signal) }
        let watched = try connection.wait(with: signal) { (number) throws(Errno) in
            let id = try watch(number, readiness) {
                unwatch(number)
                signal.fulfil(())
            }
            return (number: number, id: id)
        }
        await withTaskCancellationHandler {
            await signal.value()
        } onCancel: {
            signal.fulfil(())
        }
        unwatch(watched.number, id: watched.id)
    }
}
