// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwapControl
import SwapReleases
import Testing

/// The journal on the disk, its table, and the pruning that depends on it.
@Suite struct JournalTests {
    /// A line of the journal in the form that swapctl writes.
    static func line(
        _ test: TestSite, id: String, from: String? = nil, to: String, result: String = "committed",
        time: String = "2026-01-02T03:04:05.678Z", reason: String? = nil, user: String = "root"
    ) throws -> String {
        let directory = try test.site.releaseDirectory
        func files(_ release: String) -> [String: String] {
            ["bin": "\(directory)/app.\(release)", "cfg": "\(directory)/cfg.\(release)"]
        }
        let object: [String: Any] = [
            "time": time, "id": id, "verb": "upgrade", "service": "web", "result": result,
            "by": ["uid": 0, "user": user, "pid": 1, "sudo_user": "alice"],
            "from": from.map(files) as Any? ?? NSNull(), "to": files(to), "generation": 2, "pid": 7,
            "elapsed_us": 120_000, "why": "current.conf changed (owner root)",
            "reason": reason as Any? ?? NSNull(),
        ]
        return String(
            decoding: try JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]),
            as: UTF8.self)
    }

    private func size(_ test: TestSite, _ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: "\(test.directory)/.succession/\(name)")
        return try #require(attributes[.size] as? Int)
    }

    @Test func append_whenTheJournalIsLong_putsItAsideAndKeepsWhatARollbackNeeds() throws {
        let test = try TestSite()
        try test.site.prepareForTest()
        try JournalFile.append(Self.line(test, id: "a", to: "1.0"), to: test.site)
        try JournalFile.append(Self.line(test, id: "b", from: "1.0", to: "2.0"), to: test.site)
        let reason = String(repeating: "x", count: 4_000)
        var count = 2
        while (try? size(test, "journal.1")) == nil {
            try JournalFile.append(
                Self.line(
                    test, id: "\(count)", from: "2.0", to: "3.0", result: "unchanged",
                    reason: reason), to: test.site)
            count += 1
            try #require(count < 1_000)
        }
        #expect(try size(test, "journal.1") <= JournalFile.maximumSize)
        #expect(try size(test, "journal") < 8_000)
        // Every entry is there once, and in its order.
        #expect(
            try Journal.read(test.site).entries.map(\.id)
                == ["a", "b"] + (2..<count).map { "\($0)" })
        // The older file is replaced, and the releases that served stay known.
        try FileManager.default.removeItem(atPath: "\(test.directory)/.succession/journal.1")
        #expect(try Journal.read(test.site).entries.map(\.id) == ["a", "b", "\(count - 1)"])
    }

    @Test func append_byManyAtOnce_losesNoLine() throws {
        let test = try TestSite()
        try test.site.prepareForTest()
        let site = try test.site
        let reason = String(repeating: "x", count: 8_000)
        let lines = try (0..<400).map {
            try Self.line(test, id: "\($0)", to: "1.0", result: "refused", reason: reason)
        }
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for index in stride(from: worker, to: lines.count, by: 8) {
                do {
                    try JournalFile.append(lines[index], to: site)
                } catch {
                    Issue.record("\(error)")
                }
            }
        }
        // More lines than two journals hold: the oldest are gone, and only those.
        let left = try Journal.read(site).entries.count
        let room = 2 * JournalFile.maximumSize / (lines[0].utf8.count + 1)
        #expect(left <= room && left >= room / 2, "\(left) of \(room)")
        #expect(Set(try Journal.read(site).entries.map(\.id)).count == left)
    }

    /// The journal has 300 MiB before the last lines, and only its end is read.
    @Test func read_whenTheJournalIsHuge_readsItsEnd() throws {
        let test = try TestSite()
        try test.site.prepareForTest()
        let path = "\(test.directory)/.succession/journal"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.truncate(atOffset: 300 << 20)
        try file.seekToEnd()
        try file.write(
            contentsOf: Data("\n\(Self.line(test, id: "a", to: "1.0"))\n{\"torn".utf8))
        try file.close()
        #expect(try Journal.read(test.site).entries.map(\.id) == ["a"])
        try JournalFile.append(Self.line(test, id: "b", to: "2.0"), to: test.site)
        #expect(try size(test, "journal") < 8_000)
        #expect(try Journal.read(test.site).entries.map(\.id) == ["a", "b"])
    }

    @Test func table_hasFromAndToInEightyColumns() throws {
        let test = try TestSite()
        try test.site.prepareForTest()
        try JournalFile.append(Self.line(test, id: "a", to: "1.0"), to: test.site)
        try JournalFile.append(
            Self.line(
                test, id: "b", from: "1.0", to: "f00ba12f00ba12f00ba12f00ba12f00ba12f00ba12",
                result: "unchanged",
                reason: "\(String(repeating: "/long", count: 30)) could not be executed"),
            to: test.site)
        let lines = try Journal.read(test.site).lines(test.site, last: 10)
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines.joined(separator: "\n"))")
        #expect(
            lines[0].split(separator: " ")
                == "TIME (UTC) BY WHAT FROM TO RESULT".split(separator: " "))
        #expect(lines[1].hasPrefix("2026-01-02 03:04  alice  upgrade  -  "), "\(lines[1])")
        #expect(lines[2] == "    generation 2, 0.12 s: current.conf changed (owner root)")
        #expect(lines[3].hasSuffix("  failed") && lines[3].contains("app.1.0"), "\(lines[3])")
        #expect(lines[3].contains("…"), "\(lines[3])")
    }

    // MARK: - Pruning

    private func served(_ test: TestSite) throws {
        for version in ["1.0", "1.1", "1.2", "1.3"] {
            try test.program(version)
            try test.write("release/cfg.\(version)", "x")
        }
        // Served: 1.3, then 1.0, then 1.2 that failed, then 1.1.
        try JournalFile.append(
            Self.line(test, id: "a", to: "1.3", time: "2096-01-01T00:00:00.000Z"), to: test.site)
        try JournalFile.append(
            Self.line(test, id: "b", from: "1.3", to: "1.0", time: "2096-01-02T00:00:00.000Z"),
            to: test.site)
        try JournalFile.append(
            Self.line(
                test, id: "c", from: "1.0", to: "1.2", result: "unchanged",
                time: "2096-01-03T00:00:00.000Z"), to: test.site)
        try JournalFile.append(
            Self.line(test, id: "d", from: "1.0", to: "1.1", time: "2096-01-04T00:00:00.000Z"),
            to: test.site)
    }

    @Test func prune_keepsWhatARollbackWouldReturnTo() throws {
        let test = try TestSite()
        try test.site.prepareForTest()
        try served(test)
        let directory = try test.site.releaseDirectory
        try test.write(
            ".succession/serving",
            """
            {"id": "d", "verb": "upgrade", "service": "web", "name": "app", "current": "", "runtime_directory": "\(test.directory)/nowhere",
             "files": {"bin": "\(directory)/app.1.1", "cfg": "\(directory)/cfg.1.1"}}
            """)
        let pruning = try ReleasePruning.prune(test.site, keeping: 1, services: [], dryRun: false)
        #expect(pruning.removed == ["app.1.2", "app.1.3", "cfg.1.2", "cfg.1.3"])
        #expect(pruning.kept.map(\.name) == ["app.1.0", "cfg.1.0"])
        #expect(pruning.kept.allSatisfy { $0.references == ["rollback"] }, "\(pruning.kept)")
    }

    /// The order is by time, not by name: 1.3 served before 1.0, and 1.2 never served.
    @Test func prune_keepsWhatServedLast() throws {
        let test = try TestSite()
        try test.site.prepareForTest()
        try served(test)
        let pruning = try ReleasePruning.prune(test.site, keeping: 2, services: [], dryRun: true)
        #expect(pruning.removed == ["app.1.2", "app.1.3", "cfg.1.2", "cfg.1.3"])
    }
}

extension ReleaseSite {
    /// Makes the state directory, as the first verb does.
    func prepareForTest() throws {
        try FileManager.default.createDirectory(
            atPath: directory + "/.succession", withIntermediateDirectories: true)
    }
}
