// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// Operates one service from another program, as `swapctl` does: status, upgrade, abort, drain, reload.
///
/// Every method is asynchronous, throws ``ControlError``, and does its waiting on a thread of its own. The server
/// carries out what it was asked for; this process only waits. So cancelling the task ends the wait and nothing else:
/// the method throws ``ControlError/Code/cancelled`` within two seconds, and the server goes on.
///
/// The caller must be root or the user of the server.
public struct ServiceControl: Sendable {
    private let target: Service

    /// Finds the directory of a service; does not check that a server runs.
    ///
    /// The directory is `runtimeDirectory` if it is given, else `$SUCCESSION_RUNTIME_DIRECTORY`, the first entry of
    /// `$RUNTIME_DIRECTORY`, `/run/SERVICE` for root, or `$XDG_RUNTIME_DIR/SERVICE`. Throws `usage` if the name cannot
    /// be that of a service, and `no-such-service` or `permission` if there is no directory to look in.
    public init(service: String, runtimeDirectory: String? = nil) throws(ControlError) {
        target = try Service.locate(service, runtimeDirectory: runtimeDirectory)
    }

    /// The name of the service.
    public var service: String { target.name }

    /// The path of the directory that holds the control sockets.
    public var runtimeDirectory: String { target.runtimeDirectory }

    /// Asks every generation for its status; together they have two seconds to answer.
    ///
    /// A generation that does not answer is part of the result, not an error. Throws `no-such-service` if there is no
    /// control socket.
    public func status() async throws(ControlError) -> ServiceStatus {
        let target = target
        return try await wait { (interruption) throws(ControlError) in
            ServiceStatus(try ControlClient(target, interruption: interruption).status())
        }
    }

    /// Starts a successor and hands it the listeners; returns when the predecessor's process has ended.
    ///
    /// With `isDetached` it returns with the result, while the predecessor drains. A failed upgrade is a result, not an
    /// error: see ``UpgradeOutcome/failure``. Throws if the upgrade was not begun (`busy`, `generations`,
    /// `no-such-service`, `permission`), or if its outcome could not be learnt (`connection-lost`).
    ///
    /// Cancellation before the result throws `cancelled`, and the upgrade goes on: ``abort()`` calls it off.
    /// Cancellation after the result returns the outcome without ``UpgradeOutcome/drain``.
    ///
    /// - Parameter onEvent: Called in order, on a thread of this operation, and never after the method has returned.
    ///   The operation waits for it.
    public func upgrade(
        _ request: UpgradeRequest = UpgradeRequest(),
        onEvent: @escaping @Sendable (ServiceEvent) -> Void = { _ in }
    ) async throws(ControlError) -> UpgradeOutcome {
        let target = target
        return try await wait { (interruption) throws(ControlError) in
            try Upgrade(target, request, interruption: interruption).run { event in
                ServiceEvent(event).map(onEvent)
            }
        }
    }

    /// Calls off the upgrade in progress; returns when the successor has ended and the predecessor serves on.
    ///
    /// Throws `no-upgrade` if no upgrade is in progress, and `too-late` if the successor serves already. Cancellation
    /// ends the wait; the upgrade is called off all the same.
    public func abort() async throws(ControlError) {
        let target = target
        try await wait { (interruption) throws(ControlError) in
            _ = try Abort(target, interruption: interruption).run()
        }
    }

    /// Makes a generation finish its connections and leave; returns when its process has ended, or still runs 15 s
    /// after its deadline.
    ///
    /// Without `generation` the serving one drains, and nobody serves after it. Cancellation ends the wait; the drain
    /// goes on.
    ///
    /// - Parameters:
    ///   - generation: The number of the generation; nil: the serving one.
    ///   - deadline: After what time the generation cuts its connections; nil: the server's own limit. A deadline
    ///     later than that of a drain in progress has no effect.
    ///   - onEvent: As for ``upgrade(_:onEvent:)``.
    public func drain(
        generation: Int? = nil, deadline: Duration? = nil,
        onEvent: @escaping @Sendable (ServiceEvent) -> Void = { _ in }
    ) async throws(ControlError) -> DrainOutcome {
        let target = target
        return try await wait { (interruption) throws(ControlError) in
            let report = try DrainRequest(
                target, generation: generation, deadline: deadline, interruption: interruption
            ).run { event in
                ServiceEvent(event).map(onEvent)
            }
            guard let entry = report.drains.first else {
                throw .protocolViolation("the drain of \(target.name) has no outcome")
            }
            return entry.outcome
        }
    }

    /// Makes the serving generation read its configuration again; returns when the application has accepted.
    ///
    /// Throws the application's refusal, with its reason. Cancellation ends the wait; the reload goes on.
    ///
    /// - Parameter timeout: How long the application may take; nil: the server's own limit.
    public func reload(timeout: Duration? = nil) async throws(ControlError) -> ReloadReport {
        let target = target
        return try await wait { (interruption) throws(ControlError) in
            try Reload(target, timeout: timeout, interruption: interruption).run()
        }
    }

    /// Runs a blocking operation on a thread of its own, whose waits end when the task is cancelled.
    private func wait<Value: Sendable>(
        _ body: @escaping @Sendable (Interruption) throws(ControlError) -> Value
    ) async throws(ControlError) -> Value {
        let interruption: Interruption
        do {
            interruption = try Interruption()
        } catch {
            throw .system("cannot create a pipe", error)
        }
        let answer = OneShot<Result<Value, ControlError>>()
        do {
            try startThread(name: "swapcontrol") {
                // The signals of the caller's program belong to its own threads.
                SignalRelay.blockAllInThisThread()
                answer.fulfil(Result { () throws(ControlError) in try body(interruption) })
            }
        } catch {
            throw .system("cannot start a thread", error)
        }
        let result = await withTaskCancellationHandler {
            await answer.value()
        } onCancel: {
            interruption.cancel()
        }
        return try result.get()
    }
}
