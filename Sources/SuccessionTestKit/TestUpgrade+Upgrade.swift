// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl

extension TestUpgrade {
    /// Upgrades the server; returns when the predecessor's process has ended, or the upgrade has failed.
    ///
    /// With `side`, that process is killed by SIGKILL as soon as the server has reported that `phase` has begun; the
    /// successor at `start` as soon as it runs. The server does not wait, so a phase that takes less than a
    /// millisecond may be over when the signal arrives: the report says what became of the upgrade, and a test must
    /// accept both outcomes, unless the server itself takes its time in that phase. ``UpgradeReport/killed`` is nil if
    /// the phase did not come.
    ///
    /// A failed upgrade is a report, not an error. Throws `control` if the upgrade was not begun, and `usage` before
    /// ``start()`` has returned. After the upgrade a generation has ``TestLimits/ready`` to serve; if none does,
    /// ``UpgradeReport/serving`` is nil. Cancellation ends the wait, and throws `cancelled`; the upgrade goes on.
    ///
    /// - Parameters:
    ///   - successor: What to start.
    ///   - side: Which process to kill; nil: none.
    ///   - phase: When to kill it.
    public func upgrade(
        to successor: SuccessorProgram = .same, killing side: UpgradeSide? = nil,
        at phase: UpgradePhase = .ready
    ) async throws(TestUpgradeError) -> UpgradeReport {
        let control = try control
        let request = try request(successor)
        let before = try await serving(control)
        let observer = UpgradeObserver(
            processes, predecessor: before.process, kill: side.map { ($0, phase) },
            phaseBegan: { [phase = self.phase] in phase.set($0) })
        defer { self.phase.set(nil) }
        var outcome: UpgradeOutcome?
        var failure: UpgradeFailure?
        do {
            let result = try await control.upgrade(request, onEvent: observer.observe)
            outcome = result
            failure = result.failure
        } catch {
            // Begun, it has an outcome even if nobody is left to report it.
            guard observer.hasBegun, error.code != .cancelled else {
                throw TestUpgradeError(error, output: output)
            }
            failure = UpgradeFailure(code: error.code, reason: error.message)
        }
        let after = try await settled(observer.killed)
        return UpgradeReport(
            predecessor: before.generation, serving: after, failure: failure,
            steps: observer.steps, drain: outcome?.drain,
            killed: observer.killed.map { Int($0.processID) }, output: output)
    }

    /// The generation that serves now, with its process.
    func serving(
        _ control: ServiceControl
    ) async throws(TestUpgradeError) -> (generation: GenerationReference, process: ProcessHandle) {
        do {
            let status = try await control.status()
            if let serving = status.serving, let pid = serving.processID,
                let process = processes.process(pid)
            {
                return (
                    GenerationReference(generation: serving.number, processID: pid), process
                )
            }
        } catch {
            throw TestUpgradeError(error, output: output)
        }
        throw TestUpgradeError(.control, "nobody serves", output: output)
    }

    private func request(_ successor: SuccessorProgram) throws(TestUpgradeError) -> UpgradeRequest {
        var request = UpgradeRequest()
        request.timeout = limits.ready
        request.drainDeadline = limits.drain
        do {
            for (key, value) in successor.environment {
                try request.addEnvironment("\(key)=\(ServerProgram.filled(value, values))")
            }
        } catch {
            throw TestUpgradeError(.usage, error.message)
        }
        if successor.path != nil || successor.arguments != nil {
            request.command = try ServerProgram(
                path: successor.path ?? program.path,
                arguments: successor.arguments ?? program.arguments, environment: [:]
            ).command(values)
        }
        return request
    }

    /// Waits until what was killed has ended and a generation serves again; nil: none does.
    private func settled(
        _ killed: ProcessHandle?
    ) async throws(TestUpgradeError) -> GenerationReference? {
        let (processes, limits) = (processes, limits)
        return try await onOwnThread { (cancellation) throws(TestUpgradeError) in
            if let killed, killed.isAlive(), let end = killed.descriptor {
                _ = try cancellation.wait(for: [end.rawValue], until: limits.ready.fromNow)
            }
            let status = try processes.waitUntilServing(
                cancellation, until: limits.ready.fromNow)
            processes.reap()
            return status?.serving
        }
    }
}

/// The program of a successor.
public struct SuccessorProgram: Sendable, Hashable {
    /// Nil: the program of the predecessor.
    var path: String?
    /// Nil: the arguments of the predecessor.
    var arguments: [String]?
    var environment: [String: String] = [:]

    /// The program and the arguments of the predecessor.
    public static let same = SuccessorProgram()

    /// The program with which the test began, with other arguments, without `argv[0]`.
    public static func arguments(_ arguments: [String]) -> SuccessorProgram {
        SuccessorProgram(arguments: arguments)
    }

    /// Another program, with its arguments, without `argv[0]`.
    ///
    /// ``TestUpgrade/port`` and ``TestUpgrade/directory`` stand for those of the test.
    public static func program(_ path: String, arguments: [String]) -> SuccessorProgram {
        SuccessorProgram(path: path, arguments: arguments)
    }

    /// The same with variables on top of the server's environment.
    public func environment(_ variables: [String: String]) -> SuccessorProgram {
        var changed = self
        changed.environment.merge(variables) { $1 }
        return changed
    }
}
