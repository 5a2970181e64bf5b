// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SuccessionTestKit
import SwapControl
import Testing

/// How a server is started, and what is left of it.
struct KitStartTests {
    @Test func start_whenServerIsNeverReady_throws() async throws {
        let server = try Fixture.server(
            "--fault", "never-ready", limits: .ready(.milliseconds(700)))
        let error = await #expect(throws: TestUpgradeError.self) { try await server.start() }
        #expect(error?.code == .notReady)
        #expect(processes(of: server).isEmpty)
    }

    @Test func start_whenServerEnds_throwsWithItsOutput() async throws {
        let server = try Fixture.server("--fault", "exit-at-once")
        let error = await #expect(throws: TestUpgradeError.self) { try await server.start() }
        #expect(error?.code == .ended)
        #expect(error?.output.contains("told to exit at once") == true, "\(error as Any)")
        #expect(error?.description.contains("exited with status 1") == true, "\(error as Any)")
    }

    @Test func start_whenPortIsInUse_throws() async throws {
        let taken = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: true)
        try Syscall.bind(taken.rawValue, to: .ipv4(0x7F00_0001, port: 0))
        try Syscall.listen(taken.rawValue, backlog: 1)
        guard case .ipv4(_, let port) = try Syscall.localAddress(taken.rawValue) else { return }
        let server = try TestUpgrade(
            of: Fixture.path, arguments: Fixture.arguments(), port: Int(port))
        let error = await #expect(throws: TestUpgradeError.self) { try await server.start() }
        #expect(error?.code == .portInUse)
        #expect(processes(of: server).isEmpty)
    }

    @Test func start_whenThereIsNoProgram_throws() async throws {
        let server = try TestUpgrade(of: "/nowhere/server")
        let error = await #expect(throws: TestUpgradeError.self) { try await server.start() }
        #expect(error?.code == .cannotStart)
    }

    @Test func start_twice_throws() async throws {
        let server = try Fixture.server()
        try await server.start()
        let error = await #expect(throws: TestUpgradeError.self) { try await server.start() }
        #expect(error?.code == .usage)
        #expect(try await server.control.status().serving != nil)
    }

    @Test func start_whenCancelled_endsTheServer() async throws {
        let server = try Fixture.server("--fault", "never-ready")
        let start = Task { () -> TestUpgradeError? in
            do throws(TestUpgradeError) {
                try await server.start()
                return nil
            } catch {
                return error
            }
        }
        start.cancel()
        #expect(await start.value?.code == .cancelled)
        #expect(processes(of: server).isEmpty)
    }

    @Test func upgrade_beforeStart_throws() async throws {
        let server = try Fixture.server()
        let error = await #expect(throws: TestUpgradeError.self) { try await server.upgrade() }
        #expect(error?.code == .usage)
    }

    @Test func lettingGo_endsEveryProcess_andRemovesTheDirectory() async throws {
        var server: TestUpgrade? = try Fixture.server()
        try await server?.start()
        // The successor is a child of the predecessor, which has gone.
        #expect(try await server?.upgrade().isClean == true)
        let directory = try #require(server?.directory)
        #expect(MarkedProcesses.processes(entry(directory)).count == 1)
        #expect(FileManager.default.fileExists(atPath: directory + "/run/serving"))
        server = nil
        #expect(MarkedProcesses.processes(entry(directory)).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test func environment_isThatOfTheTest() async throws {
        let server = try TestUpgrade(
            of: "/bin/sh",
            arguments: ["-c", "echo $OWN,$SUCCESSION_RUNTIME_DIRECTORY,$SUCCESSION_FOREGROUND"],
            environment: ["OWN": "at \(TestUpgrade.directory)"])
        let error = await #expect(throws: TestUpgradeError.self) { try await server.start() }
        #expect(error?.output == "at \(server.directory),\(server.directory)/run,off\n")
    }

    private func entry(_ directory: String) -> String {
        "SUCCESSION_RUNTIME_DIRECTORY=\(directory)/run"
    }

    private func processes(of server: TestUpgrade) -> [ProcessHandle] {
        MarkedProcesses.processes(entry(server.directory))
    }
}
