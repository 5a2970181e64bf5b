// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The locks of a site, each a file in `.succession` with the pid of its holder in it.
///
/// The kernel gives them back when the holder ends, however it does.
struct SiteLock: Sendable {
    enum Kind: String, Sendable {
        /// For the time of reading and writing a file.
        case files
        /// For the time of adding a line to the journal.
        case journal
        /// For the time of a switch from one release to another.
        case change = "switch"
        /// For the life of whoever watches the site.
        case watch
    }

    private let file: OwnedDescriptor

    /// Waits for the lock of the files.
    static func files(_ site: ReleaseSite) throws(ControlError) -> SiteLock {
        let file = try open(site, .files)
        try attempt("cannot lock \(path(site, .files))") { () throws(Errno) in
            try Syscall.awaitLock(file.rawValue)
        }
        return SiteLock(file: file)
    }

    /// Waits for the lock of the journal, which nobody has for longer than writing a line takes.
    static func journal(_ site: ReleaseSite) throws(ControlError) -> SiteLock {
        let lock = try door(site, .journal)
        if try lock.take(within: 10_000) { return lock }
        let holder = holder(site, .journal).map { "pid \($0)" } ?? "another process"
        throw .busy(
            "\(holder) has had \(path(site, .journal)) for 10 s: it may be stopped; let it go on, or "
                + "end it")
    }

    /// Takes the lock as soon as it is free; false if it was not in that time.
    private func take(within milliseconds: UInt64) throws(ControlError) -> Bool {
        let deadline = Syscall.monotonicNanoseconds() + milliseconds * 1_000_000
        var pause: CInt = 1
        while try !take() {
            if Syscall.monotonicNanoseconds() >= deadline { return false }
            // The kernel lets nobody wait for a lock with a deadline.
            _ = try? Syscall.poll([], timeoutMilliseconds: pause)
            pause = min(pause * 2, 50)
        }
        return true
    }

    /// Opens a lock without taking it.
    static func door(_ site: ReleaseSite, _ kind: Kind) throws(ControlError) -> SiteLock {
        SiteLock(file: try open(site, kind))
    }

    /// Takes the lock; false if somebody else has it.
    func take() throws(ControlError) -> Bool {
        try attempt("cannot take a lock") { () throws(Errno) in
            guard try Syscall.lockExclusively(file.rawValue) else { return false }
            let pid = Array("\(ProcessEnvironment.processID)\n".utf8)
            // Who has it is good to know; a full disk keeps nobody from having it.
            try? Syscall.truncate(file.rawValue, to: 0)
            try? Syscall.writeAllAt(file.rawValue, offset: 0, pid)
            return true
        }
    }

    /// Gives the lock back; whoever waits for it is not told, as he is when the holder ends.
    func release() { try? Syscall.unlock(file.rawValue) }

    /// Takes a lock for as long as the result lives; nil if somebody else has it.
    static func take(_ site: ReleaseSite, _ kind: Kind) throws(ControlError) -> SiteLock? {
        let lock = try door(site, kind)
        return try lock.take() ? lock : nil
    }

    /// Takes a lock, or says who has it.
    ///
    /// A watch has that of the switch for the moment of each look: it is waited for a little.
    static func takeOrFail(
        _ site: ReleaseSite, _ kind: Kind, _ doing: String
    ) throws(ControlError) -> SiteLock {
        let lock = try door(site, kind)
        if try lock.take(within: kind == .change ? 2_000 : 0) { return lock }
        let holder = holder(site, kind).map { "pid \($0)" } ?? "another process"
        throw .busy("\(holder) \(doing) in \(site.directory); wait for it, or end it")
    }

    /// Whether somebody has the lock; found out without taking it, which could be in the way.
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

    /// The pid that whoever took it last has written.
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

    private static func open(
        _ site: ReleaseSite, _ kind: Kind
    ) throws(ControlError) -> OwnedDescriptor {
        try site.prepareState()
        return try attempt("cannot open \(path(site, kind))") { () throws(Errno) in
            try DurableFile.openRegular(
                site.openState(), name(kind), [.readWrite, .create])
        }
    }
}
