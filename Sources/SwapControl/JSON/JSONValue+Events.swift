// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
// MARK: - Progress

extension JSONValue {
    /// Nil: the event is part of the result, or only for people.
    package static func event(_ event: ControlEvent) -> JSONValue? {
        switch event {
        case .step(let step):
            [
                "event": "step", "step": .string(step.name),
                "status": .string(step.status.rawValue),
                "elapsed_us": .integer(step.elapsedMicroseconds), "detail": .string(step.detail),
            ]
        case .draining(let progress):
            [
                "event": "draining", "generation": .integer(progress.generation),
                "connections": .integer(progress.connections),
                "remaining_ms": .integer(progress.remainingMilliseconds),
            ]
        case .drained(let generation, let cut):
            ["event": "drained", "generation": .integer(generation), "cut": .integer(cut)]
        case .asked, .committed, .failed, .left, .waiting:
            nil
        }
    }

    /// An error, and the generation that serves in spite of it.
    package static func error(
        _ error: ControlError, service: String?, serving: ServingState
    ) -> JSONValue {
        [
            "event": "error", "service": .optional(service), "code": .string(error.code.rawValue),
            "message": .string(error.message),
            "exit_code": .integer(Int(error.exitCode.rawValue)),
            "generation": .optional(serving.generation?.generation),
            "pid": .optional(serving.generation?.processID),
        ]
    }
}

// MARK: - Results

extension JSONValue {
    /// `warnings`: what went wrong although the upgrade has its result; nil: those of the outcome.
    package static func result(
        _ outcome: UpgradeOutcome, warnings: [String]? = nil
    ) -> JSONValue {
        var failure: UpgradeFailure?
        var successor = outcome.serving?.processID
        if case .unchanged(let found) = outcome.result {
            failure = found
            successor = found.successor
        }
        return [
            "event": "result", "service": .string(outcome.service),
            "result": .string(
                outcome.goesOn ? "running" : outcome.isCommitted ? "committed" : "unchanged"),
            "code": .optional(failure?.code.rawValue), "reason": .optional(failure?.reason),
            "generation": .optional(outcome.serving?.generation),
            "pid": .optional(outcome.serving?.processID), "successor": .optional(successor),
            "exit": .optional(failure?.exitStatus), "signal": .optional(failure?.signal),
            "stderr": .array((failure?.standardError ?? []).map { .string($0) }),
            "previous_generation": .integer(outcome.predecessor.generation),
            "previous_pid": .optional(outcome.predecessor.processID),
            "elapsed_us": .integer(outcome.elapsedMicroseconds),
            "drain_us": .optional(outcome.drain?.elapsedMicroseconds),
            "departure": .optional(outcome.drain?.end.rawValue),
            "cut": .optional(outcome.drain?.cut),
            "left": .array(outcome.untaken.map { .string($0) }),
            "warning": joined(warnings ?? [outcome.warning].compactMap { $0 }),
            "exit_code": .integer(Int(outcome.exitCode.rawValue)),
        ]
    }

    package static func result(_ report: DrainReport) -> JSONValue {
        let drains = report.drains.map { entry -> JSONValue in
            [
                "generation": .integer(entry.generation.generation),
                "pid": .optional(entry.generation.processID),
                "departure": .string(entry.outcome.end.rawValue),
                "cut": .optional(entry.outcome.cut),
                "drain_us": .integer(entry.outcome.elapsedMicroseconds),
            ]
        }
        let stays = report.drains.contains { $0.outcome.end == .timedOut }
        return [
            "event": "result", "service": .string(report.service),
            "verb": .string(report.verb.rawValue), "result": stays ? "stays" : "left",
            "generations": .array(drains),
            "generation": .optional(report.serving.generation?.generation),
            "pid": .optional(report.serving.generation?.processID),
            "exit_code": .integer(Int(report.exitCode.rawValue)),
        ]
    }

    package static func result(_ report: ReloadReport) -> JSONValue {
        [
            "event": "result", "service": .string(report.service), "verb": "reload",
            "result": "reloaded", "generation": .integer(report.serving.generation),
            "pid": .optional(report.serving.processID),
            "elapsed_us": .integer(report.elapsedMicroseconds), "exit_code": .integer(0),
        ]
    }

    package static func result(_ report: AbortReport, warnings: [String] = []) -> JSONValue {
        [
            "event": "result", "service": .string(report.service), "verb": "abort",
            "result": "aborted",
            "state": .string((report.isDraining ? StateWord.draining : .serving).rawValue),
            "generation": .integer(report.serving.generation),
            "pid": .optional(report.serving.processID), "successor": .optional(report.successor),
            "elapsed_us": .integer(report.elapsedMicroseconds), "warning": joined(warnings),
            "exit_code": .integer(0),
        ]
    }

    private static func joined(_ warnings: [String]) -> JSONValue {
        warnings.isEmpty ? .null : .string(warnings.joined(separator: "; "))
    }
}
