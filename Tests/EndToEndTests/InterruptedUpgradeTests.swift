// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// What an operator hears whom a signal or an error interrupts.
@Suite(.serialized) struct InterruptedUpgradeTests {
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
    private let service: TestService
    private let server: ChildProcess

    init() throws {
        service = try TestService()
        server = try service.startFixture(listen)
    }

    /// An upgrade that waits for its successor.
    private func begin(_ environment: [String: String] = [:]) throws -> (ChildProcess, Fifo) {
        let fifo = try Fifo(in: service.directory)
        let swapctl = try ChildProcess(
            Binaries.swapctl,
            ["upgrade", service.name, "--", Binaries.fixture, "serve", "--service", service.name]
                + listen + ["--fault", "hold-ready:\(fifo.path)"],
            environment: service.environment.merging(environment) { $1 })
        try fifo.waitUntilReached()
        return (swapctl, fifo)
    }

    @Test func controlC_saysThatTheUpgradeGoesOn_andItDoes() throws {
        let (swapctl, fifo) = try begin()
        try swapctl.handle.signal(Signals.interrupt)
        #expect(try swapctl.waitForExit(within: 20) == .exited(1))
        let text = swapctl.standardOutput
        #expect(text.contains("the upgrade goes on"), "\(text)")
        #expect(text.contains("'swapctl abort \(service.name)' calls it off"), "\(text)")
        fifo.release()
        #expect(try server.waitForExit(within: 20) == .exited(0))
        #expect(try service.servingStatus()["generation"] as? Int == 2)
    }

    /// As the command of a unit that is stopped during a reload: any other status would be the unit's.
    @Test func termination_whenTheServerIsStoppedToo_saysThatItWasCalledOff() throws {
        let (swapctl, fifo) = try begin(["MAINPID": "\(server.processID)"])
        try swapctl.handle.signal(Signals.terminate)
        try server.handle.signal(Signals.terminate)
        #expect(try swapctl.waitForExit(within: 20) == .exited(0), "\(swapctl.standardError)")
        #expect(swapctl.standardOutput.contains("was called off"), "\(swapctl.standardOutput)")
        #expect(try server.waitForExit(within: 20) == .exited(0))
        withExtendedLifetime(fifo) {}
    }

    /// Nothing is done yet, and only the command of a unit may not say so by its status.
    @Test(arguments: [false, true])
    func termination_alone_saysThatTheUpgradeGoesOn(ofAUnit: Bool) throws {
        let (swapctl, fifo) = try begin(ofAUnit ? ["MAINPID": "\(server.processID)"] : [:])
        try swapctl.handle.signal(Signals.terminate)
        #expect(try swapctl.waitForExit(within: 20) == .exited(ofAUnit ? 0 : 1))
        #expect(swapctl.standardOutput.contains("the upgrade goes on"), "\(swapctl.standardOutput)")
        fifo.release()
        #expect(try server.waitForExit(within: 20) == .exited(0))
    }

    @Test func controlC_duringTheDrain_saysWhoServes() throws {
        let client = try EchoClient(port: try service.port("echo"))
        _ = try client.greet()
        let swapctl = try service.startSwapctl(["upgrade", service.name, "--json"])
        _ = try swapctl.line("{\"connections\":1,\"event\":\"draining\"")
        try swapctl.handle.signal(Signals.interrupt)
        #expect(try swapctl.waitForExit(within: 20) == .exited(0))
        #expect(
            swapctl.standardOutput.contains("\"result\":\"committed\""),
            "\(swapctl.standardOutput)")
        withExtendedLifetime(client) {}
    }

    // MARK: Why a successor ended

    /// An error that nobody catches ends a Swift program by a signal; what it was is told all the same.
    @Test func listener_thatCannotBeBound_isTheReason() throws {
        let run = try service.upgradeFixture(["--listen", "echo=tcp:192.0.2.1:7"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "exited", "\(run)")
        #expect(run.reason.contains("cannot listen on tcp:192.0.2.1:7 for 'echo'"), "\(run)")
    }

    @Test func standardError_ofManyLines_isShownFromBothEnds() throws {
        let script =
            "echo why >&2; seq 5000 >&2; echo 'x: Fatal error: oh' >&2; seq 500 >&2; exit 3"
        let run = try service.swapctl(
            ["upgrade", service.name, "--json", "--", "/bin/sh", "-c", script])
        let lines = try #require(run.result["stderr"] as? [String])
        #expect(lines.count == 20)
        #expect(lines.first == "why")
        #expect(lines.contains("x: Fatal error: oh"))
        #expect(lines.contains { $0.hasPrefix("… ") && $0.hasSuffix(" lines left out …") })
        #expect(lines.last == "500")
    }

    // MARK: The last of its line

    @Test func drain_ofTheLast_saysThatNobodyWillServe() throws {
        let run = try service.swapctl(["drain", service.name])
        #expect(run.status == .exited(0), "\(run)")
        #expect(run.standardError.contains("nobody does when it has drained"), "\(run)")
        #expect(run.standardOutput.hasSuffix("\(service.name): nobody serves\n"), "\(run)")
    }

    @Test(arguments: [("n", Int32(1)), ("yes", 0)])
    func drain_ofTheLast_onATerminal_isAsked(answer: String, status: Int32) throws {
        // script(1) gives it a terminal.
        let run = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                "printf '\(answer)\\n' | script -qec '\(Binaries.swapctl) drain \(service.name)' /dev/null",
            ], environment: service.environment.merging(["TERM": "xterm"]) { $1 })
        #expect(try run.waitForExit(within: 30) == .exited(status), "\(run.standardOutput)")
        #expect(run.standardOutput.contains("drain it? [y/N]"), "\(run.standardOutput)")
        #expect(server.handle.isAlive() == (status == 1))
    }
}
