// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Limits that are reached while a server runs: the upgrade fails and says which, the predecessor serves
/// on, and the next upgrade works when there is room again.
@Suite(.serialized) struct SandboxLimitTests {
    /// An upgrade that fails as it must.
    private func expectFailure(
        _ shut: ShutService, code: String, reason: String, _ options: [String] = [],
        into successor: Shut? = nil
    ) throws {
        let old = try shut.outside(shut.first)
        let kept = try EchoClient(port: shut.port)
        #expect(try kept.greet() == shut.first)
        let run = try shut.upgrade(options, into: successor)
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == code, "\(run)")
        #expect(run.reason.contains(reason), "\(run)")
        #expect(try kept.exchange("still served") == "still served")
        #expect(try EchoClient(port: shut.port).greet() == shut.first)
        #expect(shut.servers() == [old])
        #expect(DescriptorAudit.zombies(of: old) == [])
    }

    private func expectSuccess(_ shut: ShutService, _ options: [String] = []) throws {
        let old = try shut.outside(shut.first)
        let run = try shut.upgrade(options)
        #expect(run.status == .exited(0), "\(run) \(shut.log)")
        #expect(try EchoClient(port: shut.port).greet() == run.pid)
        try shut.awaitEnd(old)
        #expect(shut.servers() == [try shut.outside(run.pid)])
    }

    private static let ofAnotherUser = Shut("--user", "64103")

    @Test(.enabled(if: ofAnotherUser.isPossible))
    func processes_whenTheUserHasTooMany_areNamed() throws {
        let shut = try ShutService(Self.ofAnotherUser)
        try shut.start()
        let old = try shut.outside(shut.first)
        try shut.limit("nproc=1", of: old)
        try expectFailure(shut, code: "start", reason: "RLIMIT_NPROC")
        try shut.limit("nproc=4096", of: old)
        try expectSuccess(shut)
    }

    private static let withDescriptorsInFlight = Shut(
        "--user", "64104", "--limit", "nofile=64", "--in-flight", "100")

    /// ETOOMANYREFS, by the kernel itself.
    @Test(.enabled(if: withDescriptorsInFlight.isPossible))
    func descriptors_whenTooManyAreOnTheirWay_areNamed() throws {
        let shut = try ShutService(Self.withDescriptorsInFlight)
        shut.shutOperator = Shut()
        try shut.start()
        try expectFailure(
            shut, code: "channel",
            reason: "cannot send 'offer' to the successor: Too many references")
        try shut.limit("nofile=1024", of: try shut.outside(shut.first))
        try expectSuccess(shut)
    }

    @Test(arguments: [("ETOOMANYREFS", "Too many references"), ("ENOBUFS", "No buffer space")])
    func offer_whenItCannotBeSent_isNamed(error: String, words: String) throws {
        let rule = Shut("--answer", "sendmsg/descriptors=\(error)*1")
        guard rule.isPossible else { return }
        let shut = try ShutService(rule)
        shut.shutOperator = Shut()
        try shut.start()
        try expectFailure(
            shut, code: "channel", reason: "cannot send 'offer' to the successor: \(words)")
        try expectSuccess(shut)
    }

    /// The predecessor waits for each of these: the successor gives up, and says which was lost.
    @Test(arguments: [(0, "hello"), (1, "taken"), (2, "ready")])
    func message_whenTheSuccessorCannotSendIt_isNamed(position: Int, kind: String) throws {
        let rule = Shut("--answer", "sendmsg=ENOBUFS*1@\(position)")
        guard rule.isPossible else { return }
        let shut = try ShutService(Shut())
        try shut.start()
        try expectFailure(
            shut, code: "application",
            reason: "cannot send '\(kind)' to the predecessor: No buffer space",
            into: rule)
        try expectSuccess(shut)
    }

    /// It serves by then.
    @Test func accepting_whenItCannotBeSentAtOnce_isSentAgain() throws {
        let rule = Shut("--answer", "sendmsg=ENOBUFS*1@3")
        guard rule.isPossible else { return }
        let shut = try ShutService(Shut())
        try shut.start()
        let run = try shut.upgrade(into: rule)
        #expect(run.status == .exited(0), "\(run)")
        #expect(try EchoClient(port: shut.port).greet() == run.pid)
    }

    /// What does not fit in a message needs a sealed file; what does needs none.
    @Test func state_withoutMemoryFiles_isHandedOverIfItIsSmall() throws {
        let shut = try ShutService(Shut("--answer", "memfd_create=EPERM"))
        try shut.start(["--state-size", "100000"])
        try expectFailure(
            shut, code: "state", reason: "to a memory file", ["--state-size", "100000"])
        let small = try ShutService(Shut("--answer", "memfd_create=EPERM"))
        try small.start(["--state-size", "1000"])
        try expectSuccess(small, ["--state-size", "1000"])
    }
}
