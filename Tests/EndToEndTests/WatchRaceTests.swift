// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// Somebody is faster than the watch, or slower.
@Suite(.serialized) struct WatchRaceTests {
    /// A check that says when it looks at app.4.0, and fails when it is let go.
    private func gate(_ site: WatchedSite) throws -> (check: String, reached: Fifo, go: String) {
        let reached = try Fifo(in: site.service.directory)
        let go = site.service.directory + "/go"
        try #require(mkfifo(go, 0o600) == 0)
        return (
            "case $BIN_FILE in *4.0) echo reached > '\(reached.path)'; cat '\(go)'; exit 1;; esac",
            reached, go
        )
    }

    private func letGo(_ path: String) throws {
        _ = try Syscall.open(path, .writeOnly)
    }

    private func started() throws -> (WatchedSite, WatchProcess, Fifo, String) {
        let site = try WatchedSite()
        for version in ["1.0", "2.0", "4.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        _ = try site.startServer("1.0")
        let gate = try gate(site)
        let watch = try site.startWatch(["--check", gate.check])
        try site.name("4.0")
        try gate.reached.waitUntilReached()
        return (site, watch, gate.reached, gate.go)
    }

    /// What is put back would overwrite the newer text, and with it the change.
    @Test func change_whileAnotherIsBeingRefused_isNotLost() throws {
        let (site, watch, _, go) = try started()
        try site.name("2.0")
        try letGo(go)
        #expect(try watch.result()["result"] as? String == "refused")
        #expect(try watch.result()["result"] as? String == "committed")
        try site.expectAgreement("2.0", generation: 2)
        #expect(try site.history().count == 3)
    }

    @Test func removal_whileAnotherIsBeingRefused_endsWithWhatServes() throws {
        let (site, watch, _, go) = try started()
        try Syscall.unlink(site.current)
        try letGo(go)
        #expect(try watch.result()["result"] as? String == "refused")
        _ = try watch.stop()
        try site.expectAgreement("1.0", generation: 1)
    }

    @Test func rollback_duringASwitch_isTurnedAwayWithThePid() throws {
        let (site, watch, _, go) = try started()
        let run = try site.service.swapctl([
            "rollback", site.service.name, "--to", "2.0", "--current", site.current, "--json",
        ])
        #expect(run.status == .exited(75), "\(run)")
        #expect(
            run.reason.contains("pid \(watch.process.processID) is changing the release"), "\(run)")
        try letGo(go)
        _ = try watch.result()
        try site.expectAgreement("1.0", generation: 1)
    }

    /// Who ends closes the file first and then loses the lock: nothing tells of that.
    @Test func lock_whenItIsGivenBackUnseen_changeIsMadeAllTheSame() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let server = try site.startServer("1.0")
        let watch = try site.startWatch()
        // A file that was opened to be read is closed without anybody being told.
        let lock = try Syscall.open(site.directory + "/.succession/switch.lock", .readOnly)
        try Syscall.awaitLock(lock.rawValue)
        try site.name("2.0")
        let note = try watch.next(event: "note")["message"] as? String ?? ""
        #expect(note.contains("is changing the release"), "\(note)")
        lock.close()
        #expect(try watch.result()["result"] as? String == "committed")
        try server.waitForExit()
        try site.expectAgreement("2.0", generation: 2)
    }

    /// A signal ends the watch after the switch, and not in the middle of it.
    @Test func stop_duringASwitch_finishesItFirst() throws {
        let (site, watch, _, go) = try started()
        try watch.process.handle.signal(Signals.terminate)
        try letGo(go)
        #expect(try watch.process.waitForExit() == .exited(0))
        try site.expectAgreement("1.0", generation: 1)
        #expect(try site.history().last?["result"] as? String == "refused")
    }

    /// What the watch holds does not grow with what it does.
    @Test func switches_tenInARow_leaveNothingBehind() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        _ = try site.startServer("1.0")
        let watch = try site.startWatch()
        func switchTo(_ version: String) throws {
            try site.name(version)
            #expect(try watch.result()["result"] as? String == "committed")
        }
        try switchTo("2.0")
        // The result is told before the watch looks after the new server.
        let before = try DescriptorAudit(watch.process.processID).withProcess
        for index in 0..<10 { try switchTo(["1.0", "2.0"][index % 2]) }
        // What it still held of the first switch may be gone: the predecessor it followed has left.
        #expect(try DescriptorAudit.settles(watch.process.processID, to: before))
        #expect(DescriptorAudit.zombies(of: watch.process.processID) == [])
        try site.expectAgreement("2.0", generation: 12)
    }
}
