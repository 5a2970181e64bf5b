// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// What `swapctl status` tells a script, and whom it tells nothing.
@Suite(.serialized) struct StatusTests {
    private let listen = ["--listen", "echo=tcp:127.0.0.1:0"]

    private func start(_ service: TestService, _ options: [String]) throws -> ChildProcess {
        try ChildProcess(
            Binaries.fixture, ["serve", "--service", service.name] + listen + options,
            environment: service.environment)
    }

    @Test func status_whileTheFirstIsStarting_exitsWith4_andWaitReturnsWhenItServes() throws {
        let service = try TestService()
        let fifo = try Fifo(in: service.directory)
        let server = try start(service, ["--fault", "hold-ready:\(fifo.path)"])
        try fifo.waitUntilReached()
        let early = try service.swapctl(["status", service.name, "--json"])
        #expect(early.status == .exited(4), "\(early)")
        #expect(early.result["state"] as? String == "starting")
        let late = try service.swapctl(["status", service.name, "--wait", "300ms"])
        #expect(late.status == .exited(4), "\(late)")
        let waiting = try service.startSwapctl(["status", service.name, "--wait", "20s"])
        fifo.release()
        #expect(try waiting.waitForExit(within: 20) == .exited(0))
        #expect(waiting.standardOutput.contains("serving"), "\(waiting.standardOutput)")
        _ = try server.line("ready 1 ")
        #expect(try service.swapctl(["status", service.name]).status == .exited(0))
    }

    @Test func wait_forAServiceThatIsNotThereYet_returnsWhenItServes_orExitsWith69() throws {
        let service = try TestService()
        let never = try service.swapctl(["status", service.name, "--wait", "200ms"])
        #expect(never.status == .exited(69), "\(never)")
        let waiting = try service.startSwapctl(["status", service.name, "--wait", "20s"])
        let server = try start(service, [])
        #expect(try waiting.waitForExit(within: 20) == .exited(0))
        withExtendedLifetime(server) {}
    }

    /// Nobody serves while the last one drains.
    @Test func status_whileTheLastDrains_exitsWith69() throws {
        let service = try TestService()
        let server = try service.startFixture(listen)
        let client = try EchoClient(port: try service.port("echo"))
        _ = try client.greet()
        try server.handle.signal(Signals.terminate)
        _ = try server.errorLine("\(service.name)[1] drains 1 connections")
        let run = try service.swapctl(["status", service.name])
        #expect(run.status == .exited(69), "\(run)")
        #expect(run.standardOutput.contains("draining"), "\(run)")
        withExtendedLifetime(client) {}
    }

    @Test func status_ofAServerStartedByALink_showsTheFileAndItsRelease() throws {
        let service = try TestService()
        let release = service.directory + "/release"
        let files = FileManager.default
        try files.createDirectory(atPath: release, withIntermediateDirectories: true)
        try files.copyItem(
            atPath: URL(filePath: Binaries.fixture).resolvingSymlinksInPath().path,
            toPath: release + "/app.1.0")
        let link = service.directory + "/app.bin"
        try files.createSymbolicLink(atPath: link, withDestinationPath: "release/app.1.0")
        let server = try ChildProcess(
            link, ["serve", "--service", service.name] + listen, environment: service.environment)
        _ = try server.line("ready 1 ")
        // The link is turned, and the process is what it was.
        try files.copyItem(atPath: release + "/app.1.0", toPath: release + "/app.1.1")
        try files.removeItem(atPath: link)
        try files.createSymbolicLink(atPath: link, withDestinationPath: "release/app.1.1")
        let status = try service.servingStatus()
        #expect((status["running"] as? String)?.hasSuffix("/release/app.1.0") == true, "\(status)")
        #expect(status["release"] as? String == "app.1.0")
        #expect(status["executable"] as? String == link)
        let run = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(run.status == .exited(0), "\(run)")
        #expect(try service.servingStatus()["release"] as? String == "app.1.1")
        let text = try service.swapctl(["status", service.name])
        #expect(text.standardOutput.contains("release app.1.1"), "\(text)")
    }

    @Test(
        .enabled(if: getuid() == 0, "needs root to become another user"),
        arguments: ["status", "stop", "drain", "upgrade"])
    func request_ofAnotherUser_isNotPermitted(verb: String) throws {
        let service = try TestService()
        let directory = "/run/" + service.name
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // Where root's services are unless somebody says otherwise.
        let environment = [
            "SUCCESSION_RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": "/tmp",
        ]
        let server = try ChildProcess(
            Binaries.fixture, ["serve", "--service", service.name] + listen,
            environment: environment)
        _ = try server.line("ready 1 ")
        let run = try ChildProcess(
            "/usr/bin/setpriv",
            [
                "--reuid", "65534", "--regid", "65534", "--clear-groups", Binaries.swapctl, verb,
                service.name,
            ], environment: environment)
        #expect(try run.waitForExit() == .exited(77), "\(run.standardError)")
        #expect(run.standardError.contains(directory), "\(run.standardError)")
        #expect(!run.standardOutput.contains("nobody serves"), "\(run.standardOutput)")
    }

    @Test(.enabled(if: getuid() == 0, "of root's directory"))
    func service_namedAsADirectoryOfTheSystem_isRefused() throws {
        let environment = ["SUCCESSION_RUNTIME_DIRECTORY": "", "RUNTIME_DIRECTORY": ""]
        let server = try ChildProcess(
            Binaries.fixture, ["serve", "--service", "systemd"] + listen, environment: environment)
        #expect(try server.waitForExit() == .exited(1))
        #expect(
            server.standardError.contains("/run/systemd is the system's"),
            "\(server.standardError)")
        let run = try ChildProcess(
            Binaries.swapctl, ["stop", "systemd"], environment: environment)
        #expect(try run.waitForExit() == .exited(64), "\(run.standardError)")
    }
}
