// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
public import SwapControl
import Synchronization

/// A server of your own that is started, upgraded and put under load inside a test.
///
///     let server = try TestUpgrade(
///         of: TestUpgrade.builtProgram("server"),
///         arguments: ["--listen", "tcp:127.0.0.1:\(TestUpgrade.port)"])
///     try await server.start()
///     let clients = try await server.clients(.http("/"), count: 8)
///     let report = try await server.upgrade()
///     let seen = await clients.stop()
///     #expect(report.isClean && seen.lost.isEmpty, "\(report)\n\(seen)")
///
/// The server has a runtime directory, a free port and an output file of its own. It runs without the variables by which
/// a service manager of the test would speak to it. Every process that was started is ended by SIGKILL, and the
/// directory is removed, when this value is let go of, which takes as long as the processes take to end; not if the
/// process of the test is killed before.
///
/// Every call has a deadline. It needs no test framework: use it in swift-testing and in XCTest.
public final class TestUpgrade: Sendable {
    /// Stands for ``port`` in arguments, variables and addresses.
    public static let port = ServerProgram.port
    /// Stands for ``directory`` in arguments, variables and addresses.
    public static let directory = ServerProgram.directory

    /// The path of a program of the package under test: beside the binary of the tests, where SwiftPM puts it.
    ///
    /// Does not check that it is there. Let the test target depend on the program, so that it is built before.
    public static func builtProgram(_ name: String) -> String {
        let tests = ProcessEnvironment.executablePath
        return tests[..<(tests.lastIndex(of: "/") ?? tests.startIndex)] + "/" + name
    }

    enum State {
        case new
        case starting
        /// A generation has served; the name of the service.
        case started(service: String)
        case stopped
    }

    let program: ServerProgram
    let limits: TestLimits
    let processes: ServerProcesses
    private let fixedPort: UInt16?
    private let shared: Mutex<(state: State, port: UInt16)>
    /// What an upgrade is at.
    let phase = CurrentPhase()

    /// Prepares a directory and a port; the program is started by ``start()``.
    ///
    /// Throws `system` if there is no port or no directory to be had.
    ///
    /// - Parameters:
    ///   - path: The program; with a slash from the working directory, else looked up in `PATH`.
    ///   - arguments: Without `argv[0]`. ``port`` and ``directory`` in them stand for this test's own.
    ///   - environment: Variables on top of those of this process.
    ///   - port: The port to use; nil: one that is free.
    ///   - limits: How long each part of the test may take.
    public init(
        of path: String, arguments: [String] = [], environment: [String: String] = [:],
        port: Int? = nil, limits: TestLimits = TestLimits()
    ) throws(TestUpgradeError) {
        if let port {
            guard let number = UInt16(exactly: port), number > 0 else {
                throw TestUpgradeError(.usage, "\(port) is not a port")
            }
            fixedPort = number
        } else {
            fixedPort = nil
        }
        program = ServerProgram(path: path, arguments: arguments, environment: environment)
        self.limits = limits
        processes = ServerProcesses(try TestDirectory())
        let first = if let fixedPort { fixedPort } else { try FreePort.find() }
        shared = Mutex((.new, first))
    }

    /// The port that this test uses; another one after ``start()`` if some other process took the first.
    public var port: Int { Int(shared.withLock { $0.port }) }

    /// The path of the directory of this test, for sockets and files of the server.
    ///
    /// It is removed with everything in it.
    public var directory: String { processes.directory.path }

    /// What the generations have written to standard output and standard error: the last mebibyte.
    public var output: String { processes.directory.output }

    /// The control socket of the server under test, for what this type has no call for.
    ///
    /// Throws `usage` before ``start()`` has returned.
    public var control: ServiceControl {
        get throws(TestUpgradeError) {
            guard case .started(let service) = shared.withLock({ $0.state }) else {
                throw TestUpgradeError(.usage, "the server was not started, or was stopped")
            }
            do {
                return try ServiceControl(
                    service: service, runtimeDirectory: processes.directory.runtime)
            } catch {
                throw TestUpgradeError(error, output: "")
            }
        }
    }

    var values: ServerProgram.Values {
        ServerProgram.Values(port: shared.withLock { $0.port }, directory: directory)
    }
}

// MARK: - Starting and stopping

extension TestUpgrade {
    /// Starts the server; returns when it serves.
    ///
    /// Throws `port-in-use` if the port was given and another process has it, `cannot-start` if the program cannot be
    /// executed, `ended` if it ended before it served, `not-ready` after ``TestLimits/ready``, and `usage` if it was
    /// started before. Nothing runs after an error. Cancellation ends the server, and throws `cancelled`.
    public func start() async throws(TestUpgradeError) {
        let isNew = shared.withLock { shared in
            guard case .new = shared.state else { return false }
            shared.state = .starting
            return true
        }
        guard isNew else { throw TestUpgradeError(.usage, "the server was started before") }
        do {
            let service = try await startServing()
            shared.withLock { $0.state = .started(service: service) }
        } catch {
            await stop()
            throw error
        }
    }

    /// Ends every process of the test by SIGKILL; returns when they have ended, or after ten seconds.
    ///
    /// The directory stays until this value is let go of. Cancellation does not end the wait.
    public func stop() async {
        shared.withLock { $0.state = .stopped }
        let processes = processes
        _ = try? await onOwnThread { (_) throws(TestUpgradeError) in processes.killAll() }
    }

    /// Starts the program again on another port if some other process took the port meanwhile.
    private func startServing() async throws(TestUpgradeError) -> String {
        if let fixedPort, !FreePort.isFree(fixedPort) {
            throw TestUpgradeError(.portInUse, "another process has port \(fixedPort)")
        }
        for _ in 0..<3 {
            do {
                return try await startOnce()
            } catch {
                guard error.code == .ended, fixedPort == nil, !FreePort.isFree(values.port) else {
                    throw error
                }
                let port = try FreePort.find()
                shared.withLock { $0.port = port }
            }
        }
        return try await startOnce()
    }

    private func startOnce() async throws(TestUpgradeError) -> String {
        let (program, processes, values, limits) = (program, processes, values, limits)
        return try await onOwnThread { (cancellation) throws(TestUpgradeError) in
            let command = try program.command(values)
            let process = try processes.start(
                command,
                environment: program.variables(
                    values, runtimeDirectory: processes.directory.runtime))
            let status = try processes.waitUntilServing(
                cancellation, until: limits.ready.fromNow)
            if let status { return status.service }
            let output = processes.directory.output
            if processes.living().isEmpty {
                let how = processes.reap().map { " \($0)" } ?? " has ended"
                throw TestUpgradeError(
                    .ended, "the server (pid \(process.processID))\(how) before it served",
                    output: output)
            }
            throw TestUpgradeError(
                .notReady,
                "the server (pid \(process.processID)) does not serve after \(limits.ready)",
                output: output)
        }
    }
}

/// How long each part of a test may take.
public struct TestLimits: Sendable, Hashable {
    /// From the start of a generation until it serves.
    public var ready: Duration = .seconds(20)
    /// For the predecessor to finish its connections, before it cuts them; nil: the server's own limit.
    public var drain: Duration?
    /// For one request of a client.
    public var request: Duration = .seconds(10)

    /// The defaults shown.
    public init() {}
}

extension Duration {
    /// The monotonic time after this duration.
    var fromNow: UInt64 { Syscall.monotonicNanoseconds() + nanosecondsClamped }
}

/// The phase of the upgrade in progress, for clients that lose a request.
final class CurrentPhase: Sendable {
    private let phase = Mutex<UpgradePhase?>(nil)

    var value: UpgradePhase? { phase.withLock { $0 } }

    func set(_ new: UpgradePhase?) {
        phase.withLock { $0 = new }
    }
}
