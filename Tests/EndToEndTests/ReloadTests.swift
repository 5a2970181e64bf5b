// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Testing

/// `swapctl reload` and the signal that means it, at a server that answers in one way.
@Suite(.serialized) struct ReloadTests {
    private static let listen = ["--listen", "echo=tcp:127.0.0.1:0"]

    private func start(_ options: String...) throws -> (TestService, ChildProcess) {
        let service = try TestService()
        return (service, try service.startFixture(Self.listen + options))
    }

    private func reload(_ service: TestService, _ options: String...) throws -> SwapctlRun {
        try service.swapctl(["reload", service.name, "--json"] + options)
    }

    @Test func reload_whenAccepted_saysWhoHasReloaded() throws {
        let (service, server) = try start("--reload", "accept")
        // What is opened with the first task of the application stays.
        #expect(try reload(service).status == .exited(0))
        let before = try DescriptorAudit(server.processID, withoutConnections: true)
        for _ in 0..<20 {
            let run = try reload(service)
            #expect(run.status == .exited(0), "\(run)")
            #expect(run.result["result"] as? String == "reloaded")
            #expect(run.generation == 1)
            #expect(run.pid == server.processID)
        }
        let run = try service.swapctl(["reload", service.name])
        #expect(run.standardOutput.hasPrefix("\(service.name): reloaded in "))
        #expect(
            run.standardOutput.hasSuffix("generation 1 (pid \(server.processID)) is serving\n"))
        #expect(try DescriptorAudit.settles(server.processID, to: before))
        #expect(DescriptorAudit.processes(mentioning: service.name) == [server.processID])
    }

    @Test func reload_whenRefused_saysWhyAndExitsWith1() throws {
        let (service, server) = try start("--reload", "refuse:cfg:14: unknown key 'liten'")
        let run = try reload(service)
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "application")
        #expect(run.reason.hasSuffix("refused: cfg:14: unknown key 'liten'"), "\(run)")
        #expect(run.pid == server.processID)
        let text = try service.swapctl(["reload", service.name])
        #expect(text.standardError.contains("cfg:14: unknown key 'liten'"))
        #expect(text.standardOutput.hasSuffix("(pid \(server.processID)) is serving\n"))
        _ = try server.errorLine("\(service.name)[1] warning: reload asked for by pid ")
    }

    @Test(arguments: [
        ("drop", "unanswered", "let the request go"), ("none", "unsupported", "does not reload"),
        ("keep", "timeout", "has not answered within 0.2 seconds"),
    ])
    func reload_whenNobodyAnswers_saysSo(answer: String, code: String, reason: String) throws {
        let service = try TestService()
        let server = try service.startFixture(
            Self.listen + (answer == "none" ? [] : ["--reload", answer]))
        for _ in 0..<2 {
            let run = try reload(service, "--timeout", "200ms")
            #expect(run.status == .exited(1), "\(run)")
            #expect(run.code == code)
            #expect(run.reason.contains(reason), "\(run)")
        }
        #expect(server.handle.isAlive())
    }

    @Test func signal_thatMeansReload_isAnsweredInTheLog() throws {
        let (service, server) = try start("--reload", "accept", "--reload-signal", "1")
        try server.handle.signal(Signals.hangUp)
        _ = try server.line("reload SIGHUP")
        _ = try server.errorLine("\(service.name)[1] reload asked for by SIGHUP accepted")
    }

    @Test func reload_whileAnUpgradeRuns_isRefusedAsBusy() throws {
        let service = try TestService()
        let old = try service.startFixture(Self.listen + ["--reload", "accept"])
        let fifo = try Fifo(in: service.directory)
        let upgrade = try service.startSwapctl(
            ["upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service"]
                + [service.name] + Self.listen + ["--fault", "hold:send ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        let run = try reload(service)
        #expect(run.status == .exited(75), "\(run)")
        #expect(run.reason.contains("was asked for by pid \(upgrade.processID)"), "\(run)")
        fifo.release()
        #expect(try upgrade.waitForExit() == .exited(0))
        #expect(try old.waitForExit() == .exited(0))
        #expect(!old.standardOutput.contains("reload pid"))
    }

    @Test func reload_inHandWhenASuccessorTakesOver_isToldSo() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let old = try service.startFixture(Self.listen + ["--reload", "hold:\(fifo.path)"])
        let run = try service.startSwapctl(["reload", service.name, "--json"])
        _ = try old.line("reload pid \(run.processID)")
        #expect(try service.upgradeFixture(Self.listen, swapctl: ["--detach"]).generation == 2)
        #expect(try run.waitForExit() == .exited(1))
        #expect(run.standardOutput.contains("\"code\":\"not-serving\""))
        #expect(run.standardOutput.contains("generation 2 has taken over meanwhile"))
        fifo.release()
        #expect(try old.waitForExit() == .exited(0))
        #expect(!old.standardError.contains("accepted"))
    }

    @Test func reload_ofAGenerationThatDrains_isRefused() throws {
        let (service, old) = try start("--reload", "accept")
        let client = try EchoClient(port: service.port("echo"))
        _ = try client.greet()
        #expect(try service.upgradeFixture(Self.listen, swapctl: ["--detach"]).generation == 2)
        _ = try old.line("no more reloads")
        let socket = try RuntimeDirectory(path: service.runtime).connect(1)
        try socket.send(Wire.Reload())
        let answer = try socket.receive(
            deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)
        #expect(answer?.message.refusal?.code == .notServing)
        withExtendedLifetime(client) {}
    }

    /// Accepted and refused by turns, by swapctl and by signal; what is in progress ends as it began.
    @Test func web_underLoad_noRequestFails() throws {
        let service = try TestService()
        let port = try FreePort.find()
        let file = service.directory + "/headers"
        try write("X-Version: 0\n", to: file)
        let web = try ChildProcess(
            Binaries.web,
            ["--service", service.name, "--http", "tcp:127.0.0.1:\(port)", "--config", file]
                + ["--threads", "1"],
            environment: service.environment)
        try service.waitUntilServing()
        let load = try ChildProcess(
            Binaries.load, ["--http", "tcp:127.0.0.1:\(port)", "--rate", "200", "--json"])
        let client = try HTTPClient(port: port)
        for version in 1...10 {
            let slow = try HTTPClient(port: port)
            _ = try slow.get("/")
            try slow.send("/slow?ms=300")
            // On one thread what comes first is read first: after this the slow one is in progress.
            #expect(try client.get("/").headers["x-version"] == "\(version - 1)")
            try write("X-Version: \(version)\n", to: file)
            try ask(version, service, web, outcome: "accepted")
            #expect(try client.get("/").headers["x-version"] == "\(version)")
            try write("X-Version\n", to: file)
            try ask(version, service, web, outcome: "refused: \(file):1: 'X-Version' is no header")
            #expect(try client.get("/").headers["x-version"] == "\(version)")
            #expect(try slow.receive().headers["x-version"] == "\(version - 1)")
        }
        load.closeInput()
        #expect(try load.waitForExit() == .exited(0), "\(load.standardOutput)")
        let report = try #require(
            (try JSONSerialization.jsonObject(with: Data(load.standardOutput.utf8)))
                as? [String: Any])
        #expect(report["failed"] as? Int == 0, "\(report)")
        #expect((report["requests"] as? Int ?? 0) > 100, "\(report)")
    }

    /// By swapctl in odd versions, by signal in even ones.
    private func ask(
        _ version: Int, _ service: TestService, _ web: ChildProcess, outcome: String
    ) throws {
        if version % 2 == 1 {
            let run = try service.swapctl(["reload", service.name, "--json"])
            let isAccepted = outcome == "accepted"
            #expect(run.status == .exited(isAccepted ? 0 : 1), "\(run)")
            #expect(isAccepted || run.reason.hasSuffix(outcome), "\(run)")
            let level = isAccepted ? "" : "warning: "
            _ = try web.errorLine("\(service.name)[1] \(level)reload asked for by pid ")
        } else {
            try web.handle.signal(Signals.hangUp)
            let level = outcome == "accepted" ? "" : "warning: "
            _ = try web.errorLine(
                "\(service.name)[1] \(level)reload asked for by SIGHUP \(outcome)")
        }
    }

    /// In place of what was there, so that nobody reads half of it.
    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }
}
