// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// A lock of a site: a file in `.succession`, locked by flock(2), with the pid of its holder in it.
///
/// The kernel releases it when the holder ends for any reason.
struct SiteLock: Sendable {
    enum Kind: String, Sendable {
        /// Held while a file is read and written.
        case files
        /// Held while a line is added to the journal.
        case journal
        /// Held during a switch from one release to another.
        case change = "switch"
        /// Held by a watch until it ends.
        case watch
    }

    private let file: OwnedDescriptor

    /// Waits for the lock of the files.
    static func files(_ site: ReleaseSite) throws(ControlError) -> SiteLock {
        let file = try openFile(site, .files)
        try attempt("cannot lock \(path(site, .files))") { () throws(Errno) in
            try Syscall.awaitLock(file.rawValue)
        }
        return SiteLock(file: file)
    }

    /// Waits for the lock of the journal, which is held only while a line is written.
    static func journal(_ site: ReleaseSite) throws(ControlError) -> SiteLock {
        let lock = try open(site, .journal)
        if try lock.take(within: 10_000) { return lock }
        let holder = holder(site, .journal).map { "pid \($0)" } ?? "another process"
        throw .busy(
            "\(holder) has held \(path(site, .journal)) for 10 s: the process may be stopped; "
                + "continue it, or end it")
    }

    /// Takes the lock as soon as it is free; false if it is not free in time.
    private func take(within milliseconds: UInt64) throws(ControlError) -> Bool {
        let deadline = Syscall.monotonicNanoseconds() + milliseconds * 1_000_000
        var pause: CInt = 1
        while try !take() {
            if Syscall.monotonicNanoseconds() >= deadline { return false }
            // flock(2) has no deadline.
            _ = try? Syscall.poll([], timeoutMilliseconds: pause)
            pause = min(pause * 2, 50)
        }
        return true
    }

    /// Opens a lock without taking it.
    static func open(_ site: ReleaseSite, _ kind: Kind) throws(ControlError) -> SiteLock {
        SiteLock(file: try openFile(site, kind))
    }

    /// Takes the lock; false if another process holds it.
    func take() throws(ControlError) -> Bool {
        try attempt("cannot take a lock") { () throws(Errno) in
            guard try Syscall.lockExclusively(file.rawValue) else { return false }
            let pid = Array("\(ProcessEnvironment.processID)\n".utf8)
            // The pid is for messages alone: the lock is taken on a full disk too.
            try? Syscall.truncate(file.rawValue, to: 0)
            try? Syscall.writeAllAt(file.rawValue, offset: 0, pid)
            return true
        }
    }

    /// Releases the lock.
    ///
    /// A watch is woken by the close of the file, not by this.
    func release() { try? Syscall.unlock(file.rawValue) }

    /// Takes a lock for the lifetime of the result; nil if another process holds it.
    static func take(_ site: ReleaseSite, _ kind: Kind) throws(ControlError) -> SiteLock? {
        let lock = try open(site, kind)
        return try lock.take() ? lock : nil
    }

    /// Takes a lock, or throws an error that names its holder.
    ///
    /// A watch holds the lock of the switch during each inspection, so this waits up to two seconds for
    /// that one.
    static func takeOrFail(
        _ site: ReleaseSite, _ kind: Kind, _ doing: String
    ) throws(ControlError) -> SiteLock {
        let lock = try open(site, kind)
        if try lock.take(within: kind == .change ? 2_000 : 0) { return lock }
        let holder = holder(site, kind).map { "pid \($0)" } ?? "another process"
        throw .busy("\(holder) \(doing) in \(site.directory); wait for it, or end it")
    }

    /// Whether a process holds the lock.
    ///
    /// The lock is not taken for this, which could make another process fail.
    static func isHeld(_ site: ReleaseSite, _ kind: Kind) -> Bool {
        guard
            let file = try? DurableFile.openRegular(site.openState(), name(kind), .readOnly)
        else { return false }
        return site.rights.asCaller {
            guard let file = LockTable.File(file), let table = LockTable.read() else {
                return false
            }
            return table.hasLocked(file)
        }
    }

    /// The pid of the last holder, from the file.
    static func holder(_ site: ReleaseSite, _ kind: Kind) -> Int32? {
        guard let bytes = try? DurableFile.read(site.openState(), name(kind), limit: 64) else {
            return nil
        }
        return Int32(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
    }

    static func path(_ site: ReleaseSite, _ kind: Kind) -> String {
        "\(site.stateDirectory)/\(name(kind))"
    }

    private static func name(_ kind: Kind) -> String { "\(kind.rawValue).lock" }

    private static func openFile(
        _ site: ReleaseSite, _ kind: Kind
    ) throws(ControlError) -> OwnedDescriptor {
        try site.prepareState()
        return try attempt("cannot open \(path(site, kind))") { () throws(Errno) in
            try DurableFile.openRegular(
                site.openState(), name(kind), [.readWrite, .create])
        }
    }
}
