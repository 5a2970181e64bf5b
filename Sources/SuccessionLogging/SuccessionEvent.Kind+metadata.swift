// SPDX-License-Identifier: Apache-2.0

#if Logging
import Logging
import Succession

extension SuccessionEvent.Kind {
    /// What the kind holds, by the names that `swapctl --json` uses where it has them.
    var metadata: Logger.Metadata {
        switch self {
        case .note: [:]
        case .serving(let after):
            ["event": "serving", "after_ms": .milliseconds(after)]
        case .leftOver(let listener):
            ["event": "left-over", "listener": "\(listener)"]
        case .upgradeStarted(let requestedBy):
            requestedBy.map { ["event": "upgrade", "requested_by": "\($0)"] }
                ?? ["event": "upgrade"]
        case .upgradeStep(let name, let duration):
            ["event": "step", "step": "\(name)", "duration_ms": .milliseconds(duration)]
        case .upgradeFailed(let code, let successor, let duration):
            [
                "event": "upgrade-failed", "code": "\(code)", "successor": "\(successor)",
                "duration_ms": .milliseconds(duration),
            ]
        case .upgradeRefused(let code):
            ["event": "upgrade-refused", "code": "\(code)"]
        case .handedOver(let successor, let acceptGap, let duration):
            [
                "event": "handed-over", "successor": "\(successor)",
                "standstill_ms": .milliseconds(acceptGap), "duration_ms": .milliseconds(duration),
            ]
        case .drainBegan(let connections, let deadline):
            [
                "event": "drain", "connections": "\(connections)",
                "deadline_ms": .milliseconds(deadline),
            ]
        case .drainProgress(let connections, let age, let remaining):
            [
                "event": "draining", "connections": "\(connections)",
                "age_ms": .milliseconds(age), "remaining_ms": .milliseconds(remaining),
            ]
        case .drainEnded(let cut, let duration):
            ["event": "drained", "cut": "\(cut)", "duration_ms": .milliseconds(duration)]
        case .reloaded(let duration):
            ["event": "reloaded", "duration_ms": .milliseconds(duration)]
        case .reloadFailed(let code):
            ["event": "reload-failed", "code": "\(code)"]
        case .sample(let connections):
            ["event": "sample", "connections": "\(connections)"]
        }
    }
}

extension Logger.MetadataValue {
    fileprivate static func milliseconds(_ duration: Duration) -> Logger.MetadataValue {
        let (seconds, attoseconds) = duration.components
        return "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)"
    }
}
#endif
