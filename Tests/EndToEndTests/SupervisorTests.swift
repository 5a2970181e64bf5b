// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Below real supervisors, which know the process they have started and no other.
@Suite(.serialized) struct SupervisorTests {
    private let service: TestService
    private let port: UInt16

    init() throws {
        service = try TestService()
        port = try FreePort.find()
    }

    private var server: String {
        "\(Binaries.fixture) serve --service \(service.name) --listen echo=tcp:127.0.0.1:\(port)"
    }

    /// A directory with a `run` script, as runit, s6 and daemontools have them.
    private func directory(running command: String) throws -> String {
        let path = service.directory + "/service"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        let run = path + "/run"
        try "#!/bin/sh\nexec \(command)\n".write(toFile: run, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: run)
        return path
    }

    static let supervisors: [(program: String, stop: @Sendable (String) -> [String])] = [
        ("/usr/bin/runsv", { ["/usr/bin/sv", "-w", "20", "stop", $0] }),
        ("/usr/bin/s6-supervise", { ["/usr/bin/s6-svc", "-wD", "-T", "20000", "-d", $0] }),
    ]

    @Test(arguments: 0..<2)
    func upgrade_belowASupervisor_isRefused(index: Int) throws {
        let path = try directory(running: server)
        let supervisor = try ChildProcess(
            Self.supervisors[index].program, [path], environment: service.environment)
        _ = try supervisor.line("ready 1 ")
        let run = try service.swapctl(["upgrade", service.name, "--json"])
        #expect(run.status == .exited(1), "\(run)")
        #expect(run.code == "parent", "\(run)")
        #expect(try EchoClient(port: port).greet() > 0)
        try stop(Self.supervisors[index].stop(path), supervisor)
    }

    @Test(arguments: 0..<2)
    func upgrade_ofASupervisedServer_isSeenByNobody(index: Int) throws {
        let pidFile = service.directory + "/web.pid"
        let path = try directory(
            running:
                "\(Binaries.swapctl) supervise \(service.name) --pidfile \(pidFile) -- \(server)")
        let supervisor = try ChildProcess(
            Self.supervisors[index].program, [path], environment: service.environment)
        _ = try supervisor.line("ready 1 ")
        let pid = try String(contentsOfFile: pidFile, encoding: .utf8)
        for _ in 1...3 {
            let run = try service.swapctl(["upgrade", service.name, "--json"])
            #expect(run.status == .exited(0), "\(run)")
        }
        #expect(try String(contentsOfFile: pidFile, encoding: .utf8) == pid)
        #expect(try EchoClient(port: port).greet() > 0)
        try stop(Self.supervisors[index].stop(path), supervisor)
        #expect(!FileManager.default.fileExists(atPath: pidFile))
    }

    /// Stops the service by its supervisor's own means, and then the supervisor: nobody is left.
    private func stop(_ command: [String], _ supervisor: ChildProcess) throws {
        let down = try ChildProcess(command[0], Array(command.dropFirst()))
        #expect(try down.waitForExit(within: 30) == .exited(0), "\(down.standardOutput)")
        #expect(service.files().filter { $0.hasSuffix(".sock") } == [])
        let servers = DescriptorAudit.processes(mentioning: service.name).filter {
            $0 != supervisor.processID
        }
        #expect(servers == [])
        try supervisor.handle.signal(Signals.terminate)
        try supervisor.waitForExit(within: 20)
    }
}
