// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// The file system of the runtime directory takes nothing more: what needs no room works, the rest fails
/// and says so.
@Suite(.serialized) struct FullDirectoryTests {
    struct Row: Sendable, CustomStringConvertible {
        let description: String
        /// Of the tmpfs.
        let options: String
        /// Shell scripts, in the directory, which is called $D.
        let fill: String
        let empty: String
        /// Nil: the upgrade works.
        let reason: String?

        static let all = [
            Row(
                description: "full", options: "size=64k",
                fill: "! dd if=/dev/zero of=filler bs=1k 2>&1", empty: "rm filler", reason: nil),
            Row(
                description: "out of inodes", options: "nr_inodes=16", fill: useInodes,
                empty: "rm filler*", reason: "cannot make the control socket"),
            Row(
                description: "one inode left", options: "nr_inodes=16",
                fill: useInodes + "; rm filler1", empty: "rm filler*", reason: "cannot accept"),
            Row(
                description: "read-only", options: "size=64k",
                fill: "mount --bind $D $D && mount -o remount,bind,ro $D",
                empty: "cd / && umount $D && cd $D", reason: "Read-only file system"),
        ]

        private static let useInodes =
            "i=1; while touch filler$i 2>&1 && [ $i -lt 99 ]; do i=$((i+1)); done; [ $i -lt 99 ]"
    }

    private static let isPossible = Shut("--tmpfs", "@@/run:mode=700").isPossible

    @Test(.enabled(if: isPossible), arguments: Row.all)
    func upgrade_whereNothingCanBeWritten_worksOrIsToldWhy(row: Row) throws {
        let shut = try ShutService(Shut("--tmpfs", "@@/run:mode=700,\(row.options)"))
        try shut.start()
        try shut.shutOperatorIn()
        var kept: EchoClient? = try EchoClient(port: shut.port)
        #expect(try kept?.greet() == shut.first)
        let filled = try shut.shell("D=\(shut.service.runtime); cd $D && \(row.fill)")
        #expect(filled.status == .exited(0), "\(filled)")

        let run = try shut.upgrade()
        #expect(try kept?.exchange("still served") == "still served")
        let next = try EchoClient(port: shut.port).greet()
        if let reason = row.reason {
            #expect(run.code == "application", "\(run)")
            #expect(run.reason.contains(reason), "\(run)")
            #expect(next == shut.first)
            #expect(shut.servers() == [shut.first])
        } else {
            #expect(run.status == .exited(0), "\(run)")
            #expect(next == run.pid)
        }
        let predecessor = run.reason.isEmpty ? try #require(run.pid) : shut.first
        // Another one by another way: it shows the directory, which is its alone.
        shut.shutOperator = Shut("--join", "\(predecessor)")
        kept = nil
        let emptied = try shut.shell("D=\(shut.service.runtime); cd $D && \(row.empty) && ls")
        #expect(emptied.status == .exited(0), "\(emptied)")
        let names = emptied.standardOutput.split(separator: "\n")
        #expect(!names.contains { $0.hasPrefix(".") } && names.contains("serving"), "\(names)")

        let good = try shut.upgrade()
        #expect(good.status == .exited(0), "\(good) \(shut.log)")
        #expect(try EchoClient(port: shut.port).greet() == good.pid)
        try shut.awaitEnd(predecessor)
        #expect(shut.servers() == [try #require(good.pid)])
    }
}
