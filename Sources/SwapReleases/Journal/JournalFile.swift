// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// The journal on the disk: one JSON object a line in `journal`, older lines in `journal.1`.
///
/// Lines are only added, by one process at a time; readers need no lock.
package enum JournalFile {
    /// The size in bytes at which the next line rotates the journal.
    package static let maximumSize = 1 << 20
    /// How many bytes are read at most, from the newest line back.
    private static let maximumRead = 1 << 23
    private static let chunk = 1 << 15

    /// Adds a line; it is on the disk when this returns.
    package static func append(_ line: String, to site: ReleaseSite) throws(ControlError) {
        let lock = try SiteLock.journal(site)
        defer { lock.release() }
        let path = site.journalPath
        let directory = try attempt("cannot open \(site.stateDirectory)") { () throws(Errno) in
            try site.openState()
        }
        let size = (try? directory.facts(ReleaseSite.journalName))?.size ?? 0
        var lines = [line]
        if size.addingReportingOverflow(line.utf8.count).partialValue > maximumSize {
            lines = try essentials(site) + lines
            try attempt("cannot rotate \(path)") { () throws(Errno) in
                try directory.rename(
                    ReleaseSite.journalName, to: ReleaseSite.oldJournalName)
            }
        }
        try attempt("cannot write \(path)") { () throws(Errno) in
            try DurableFile.append(
                lines.joined(separator: "\n"), to: directory, ReleaseSite.journalName)
        }
    }

    /// Passes each line to `goesOn`, the newest first, until that returns false.
    static func lines(
        _ site: ReleaseSite, _ goesOn: (ArraySlice<UInt8>) -> Bool
    ) throws(ControlError) {
        var left = maximumRead
        var seen: FileIdentity?
        for name in [ReleaseSite.journalName, ReleaseSite.oldJournalName] {
            let path = site.stateDirectory + "/" + name
            guard let file = try open(site, name),
                let facts = try? file.withRawValue({ (fd) throws(Errno) in
                    try Syscall.status(of: fd)
                })
            else { continue }
            // The journal was rotated meanwhile, and this file has been read already.
            if facts.identity == seen { return }
            seen = facts.identity
            let isUnfinished = try attempt("cannot read \(path)") { () throws(Errno) in
                try file.withRawValue { (fd) throws(Errno) in
                    try lines(fd, facts.size, &left, goesOn)
                }
            }
            if !isUnfinished { return }
        }
    }

    private static func open(
        _ site: ReleaseSite, _ name: String
    ) throws(ControlError) -> OwnedDescriptor? {
        try attempt("cannot read \(site.stateDirectory)/\(name)") {
            () throws(Errno) -> OwnedDescriptor? in
            do throws(Errno) {
                return try DurableFile.openRegular(site.openState(), name, .readOnly)
            } catch {
                if error == .noSuchFileOrDirectory { return nil }
                throw error
            }
        }
    }

    private static func lines(
        _ fd: CInt, _ size: Int, _ left: inout Int, _ goesOn: (ArraySlice<UInt8>) -> Bool
    ) throws(Errno) -> Bool {
        let newline = UInt8(ascii: "\n")
        var end = size
        // The end of a line whose beginning has not been read yet.
        var rest: [UInt8] = []
        while end > 0, left > 0 {
            let count = min(chunk, end)
            let read = try Syscall.readAt(fd, offset: end - count, count: count)
            // The file was truncated meanwhile, after a failed write: what is left is not a line.
            if read.count < count { return true }
            end -= count
            left -= count
            let bytes = read + rest
            var lines = bytes.split(separator: newline, omittingEmptySubsequences: false)[...]
            rest = end > 0 ? Array(lines.removeFirst()) : []
            // No line is that long.
            if rest.count > maximumSize { rest = [] }
            for line in lines.reversed() where !line.isEmpty {
                if !goesOn(line) { return false }
            }
        }
        return left > 0
    }

    /// The lines that a rotation copies, because a rollback needs them: for each service the entries of
    /// the last eight releases that served, the oldest first.
    private static func essentials(_ site: ReleaseSite) throws(ControlError) -> [String] {
        var served: [String: Set<SelectedFiles>] = [:]
        var kept: [String] = []
        try lines(site) { line in
            guard let entry = JournalEntry(line: line), entry.result == .committed,
                let to = entry.to, served[entry.service]?.contains(to) != true,
                served[entry.service, default: []].count < 8
            else { return true }
            served[entry.service, default: []].insert(to)
            kept.append(String(decoding: line, as: UTF8.self))
            return true
        }
        return kept.reversed()
    }
}

extension JournalEntry {
    /// Nil: this is no entry; a crash may leave a part of a line, for example.
    init?(line: ArraySlice<UInt8>) {
        guard let node = try? JSONParser.parse(Array(line)) else { return nil }
        self.init(node)
    }
}
