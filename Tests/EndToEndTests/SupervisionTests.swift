// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage
import Testing

/// What a generation says to a service manager; the tests' own process plays the manager's socket,
/// and is no parent that a manager would be.
@Suite(.serialized) struct SupervisionTests {
    private let service: TestService
    private let manager: NotifySocket

    init() throws {
        service = try TestService()
        manager = try NotifySocket(in: service.directory)
    }

    private func environment(_ more: [String: String] = [:]) -> [String: String] {
        service.environment.merging(["NOTIFY_SOCKET": manager.path]) { $1 }.merging(more) { $1 }
    }

    private func start(
        _ listen: [String], _ more: [String: String] = [:],
        passing: [(name: String, descriptor: OwnedDescriptor)] = []
    ) throws -> ChildProcess {
        var variables = environment(more)
        if !passing.isEmpty {
            variables["LISTEN_FDS"] = "\(passing.count)"
            variables["LISTEN_FDNAMES"] = passing.map(\.name).joined(separator: ":")
        }
        let process = try withExtendedLifetime(passing) {
            try ChildProcess(
                Binaries.fixture,
                ["serve", "--service", service.name] + listen.flatMap { ["--listen", $0] },
                environment: variables,
                passing: passing.enumerated().map { index, item in
                    (source: item.descriptor.rawValue, target: CInt(3 + index))
                })
        }
        _ = try process.line("ready 1 ")
        return process
    }

    @Test func generations_underAManager_sayWhatTheyAreDoing() throws {
        let old = try start(["echo=tcp:127.0.0.1:0"])
        let ready = try manager.message(with: "READY=1")
        #expect(ready.contains("WATCHDOG=1"))
        #expect(ready.contains { $0.hasPrefix("STATUS=generation 1 serves echo=tcp:127.0.0.1:") })
        let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        #expect(run.status == .exited(0), "\(run)")
        let next = try manager.message(with: "READY=1")
        #expect(next.contains { $0.hasPrefix("STATUS=generation 2 serves") })
        // The first one left its work to the second, which is the last of its line.
        #expect(try old.waitForExit() == .exited(0))
        _ = try service.swapctl(["stop", service.name])
        let stopping = try manager.message(with: "STOPPING=1")
        #expect(stopping.contains { $0.hasPrefix("STATUS=generation 2 ") })
    }

    /// The parent is no manager: what it would be told of the main process is not for it.
    @Test func upgrade_ofAWrappedServer_warnsAndGoesOn() throws {
        let old = try start(["echo=tcp:127.0.0.1:0"])
        let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        #expect(run.status == .exited(0), "\(run)")
        _ = try old.errorLine(
            "\(service.name)[1] warning: the service manager goes on to supervise")
    }

    @Test func watchdog_whenItIsOn_hearsOfEveryGeneration() throws {
        let old = try start(["echo=tcp:127.0.0.1:0"], ["WATCHDOG_USEC": "300000"])
        _ = try manager.message(with: "READY=1")
        for _ in 1...3 { #expect(try manager.message(with: "WATCHDOG=1") == ["WATCHDOG=1"]) }
        let run = try service.upgradeFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        #expect(try old.waitForExit() == .exited(0), "\(run)")
        _ = try manager.message(with: "READY=1")
        for _ in 1...3 { #expect(try manager.message(with: "WATCHDOG=1") == ["WATCHDOG=1"]) }
    }

    @Test func listener_afterAKill_isFoundInTheStore_withItsQueue() throws {
        let store = ["SUCCESSION_FDSTORE": "8"]
        let first = try start(["echo=tcp:127.0.0.1:0", "spare=tcp:127.0.0.1:0"], store)
        _ = try manager.message(with: "READY=1")
        #expect(manager.stored.map(\.name) == ["succession.record", "echo", "spare"])
        let status = try service.servingStatus()
        let listeners = try #require(status["listeners"] as? [[String: Any]])
        let port = try #require(
            listeners.first { $0["name"] as? String == "echo" }
                .flatMap { ($0["address"] as? String)?.split(separator: ":").last }
                .flatMap { UInt16($0) })
        try ProcessHandle.open(first.processID).signal(Signals.kill)
        _ = try first.waitForExit()

        // Nobody runs, and nobody is refused.
        let waiting = try EchoClient(port: port)
        let kept = manager.stored
        let second = try start(
            ["echo=tcp:127.0.0.1:\(port)"], store, passing: Array(kept.reversed()))
        #expect(try waiting.greet() == second.processID)
        _ = try manager.message(with: "READY=1")
        #expect(manager.stored.map(\.name) == ["succession.record", "echo"])
    }

    /// Its successor takes `spare` as `new`: any port will do, and that one cannot be bound again.
    @Test func upgrade_withAStore_storesNothingTwice_andRenames() throws {
        let store = ["SUCCESSION_FDSTORE": "8"]
        let first = try start(["echo=tcp:127.0.0.1:0", "spare=tcp:127.0.0.1:0"], store)
        _ = try manager.message(with: "READY=1")
        let run = try service.upgradeFixture(
            ["--listen", "echo=tcp:127.0.0.1:0", "--listen", "new=tcp:127.0.0.1:0"])
        #expect(run.status == .exited(0), "\(run)")
        _ = try manager.message(with: "READY=1")
        #expect(manager.stored.map(\.name) == ["succession.record", "echo", "new"])
        #expect(try first.waitForExit() == .exited(0))
    }

    @Test func listeners_beyondTheLimit_areServedAndReported() throws {
        let server = try start(
            ["a=tcp:127.0.0.1:0", "b=tcp:127.0.0.1:0"], ["SUCCESSION_FDSTORE": "2"])
        _ = try manager.message(with: "READY=1")
        #expect(manager.stored.map(\.name) == ["succession.record", "a"])
        _ = try server.errorLine("\(service.name)[1] warning: 'b' ")
    }

    /// systemd starts services with SIGPIPE ignored (IgnoreSIGPIPE=), nohup with SIGHUP, and every
    /// generation is one.
    @Test(arguments: [
        ("trap '' PIPE; ", "0000000000001000"), ("trap '' HUP; ", "0000000000000001"),
        ("trap '' HUP QUIT USR1; ", "0000000000000205"), ("", "0000000000000000"),
    ])
    func signals_areIgnoredByEveryGeneration_orByNone(trap: String, ignored: String) throws {
        let serve = [
            Binaries.fixture, "serve", "--service", service.name, "--listen",
            "echo=tcp:127.0.0.1:0",
        ]
        let first = try ChildProcess(
            "/bin/sh", ["-c", trap + "exec \"$0\" \"$@\""] + serve,
            environment: service.environment)
        _ = try first.line("ready 1 ")
        for _ in 2...3 {
            let run = try service.swapctl(["upgrade", service.name, "--json", "--"] + serve)
            let pid = try #require(run.pid, "\(run)")
            let status = String(
                decoding: try Syscall.readFile("/proc/\(pid)/status"), as: UTF8.self)
            #expect(status.contains("\nSigIgn:\t\(ignored)\n"), "\(status)")
        }
        #expect(try first.waitForExit() == .exited(0))
    }
}
