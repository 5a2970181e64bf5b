// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// A new release that does not take all listeners: a rename, or a line lost from its configuration.
@Suite(.serialized) struct LeftOverTests {
    private let service: TestService
    private let old: ChildProcess

    init() throws {
        service = try TestService()
        old = try service.startFixture([
            "--listen", "kept=tcp:127.0.0.1:0", "--listen", "lost=tcp:127.0.0.1:0",
        ])
    }

    private let partial = ["--listen", "kept=tcp:127.0.0.1:0"]

    @Test func listener_thatIsNotTaken_isNamedInTheResult() throws {
        let port = try service.port("lost")
        let run = try service.upgradeFixture(partial)
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.result["left"] as? [String] == ["'lost' (tcp:127.0.0.1:\(port))"], "\(run)")
        #expect((run.result["warning"] as? String)?.contains("did not take 'lost'") == true)
        try old.waitForExit()
        let again = try service.upgradeFixture(partial)
        #expect(again.result["left"] as? [String] == [])
        #expect(again.result["warning"] is NSNull, "\(again)")
    }

    @Test func listener_thatIsNotTaken_isShownToPeople() throws {
        let run = try service.swapctl(
            [
                "upgrade", service.name, "--", Binaries.fixture, "serve", "--service", service.name,
            ] + partial)
        #expect(run.status == .exited(0), "\(run)")
        let text = run.standardOutput + run.standardError
        #expect(text.contains("did not take 'lost' (tcp:127.0.0.1:"), "\(run)")
    }

    @Test func strictUpgrade_whenAListenerIsNotTaken_isCalledOff() throws {
        let port = try service.port("lost")
        let run = try service.upgradeFixture(partial, swapctl: ["--strict"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "left-over", "\(run)")
        #expect(run.reason.contains("'lost' (tcp:127.0.0.1:\(port))"), "\(run)")
        #expect(try EchoClient(port: port).greet() == old.processID)
        let good = try service.upgradeFixture(
            partial + ["--listen", "lost=tcp:127.0.0.1:0"], swapctl: ["--strict"])
        #expect(good.status == .exited(0), "\(good)")
        #expect(try EchoClient(port: port).greet() == good.pid)
    }
}
