// SPDX-License-Identifier: Apache-2.0

#if Metrics
public import CoreMetrics
public import Succession

/// Turns events into metrics, each with the dimension `service`.
///
/// | metric | kind | further dimensions |
/// |---|---|---|
/// | `succession_upgrades` | counter | `result`: `committed`, `failed`, `refused` |
/// | `succession_upgrade_failures` | counter | `code`, of failed and refused ones |
/// | `succession_upgrade_duration` | timer | from the start of the successor until it accepts |
/// | `succession_standstill_duration` | timer | of a hand-over: how long nobody accepted |
/// | `succession_connections` | gauge | `generation` |
/// | `succession_drain_age_seconds` | gauge | `generation` |
/// | `succession_drain_duration` | timer | |
/// | `succession_connections_cut` | counter | by the deadline of a drain |
/// | `succession_reloads` | counter | `result`: `accepted` or a code |
///
/// An upgrade is counted by the predecessor.
public struct SuccessionMetrics: Sendable {
    private let factory: any MetricsFactory

    /// Nothing is made before the first event; a factory makes the same metric once.
    public init(_ factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
    }

    /// Counts what the event says; events without a figure are passed over.
    public func record(_ event: SuccessionEvent) {
        let service = [("service", event.service)]
        let own = service + [("generation", "\(event.generation)")]
        switch event.kind {
        case .handedOver(_, let acceptGap, let duration):
            count("upgrades", service + [("result", "committed")])
            time("upgrade_duration", service, duration)
            time("standstill_duration", service, acceptGap)
        case .upgradeFailed(let code, _, _):
            count("upgrades", service + [("result", "failed")])
            count("upgrade_failures", service + [("code", code)])
        case .upgradeRefused(let code):
            count("upgrades", service + [("result", "refused")])
            count("upgrade_failures", service + [("code", code)])
        case .sample(let connections):
            gauge("connections", own, Double(connections))
        case .drainBegan(let connections, _):
            gauge("connections", own, Double(connections))
            gauge("drain_age_seconds", own, 0)
        case .drainProgress(let connections, let age, _):
            gauge("connections", own, Double(connections))
            gauge("drain_age_seconds", own, age / .seconds(1))
        case .drainEnded(let cut, let duration):
            gauge("connections", own, 0)
            gauge("drain_age_seconds", own, duration / .seconds(1))
            time("drain_duration", service, duration)
            if cut > 0 { count("connections_cut", service, by: cut) }
        case .reloaded:
            count("reloads", service + [("result", "accepted")])
        case .reloadFailed(let code):
            count("reloads", service + [("result", code)])
        case .note, .serving, .leftOver, .upgradeStarted, .upgradeStep:
            break
        }
    }

    private func count(_ name: String, _ dimensions: [(String, String)], by number: Int = 1) {
        Counter(label: "succession_\(name)", dimensions: dimensions, factory: factory)
            .increment(by: number)
    }

    private func gauge(_ name: String, _ dimensions: [(String, String)], _ value: Double) {
        Gauge(label: "succession_\(name)", dimensions: dimensions, factory: factory).record(value)
    }

    private func time(_ name: String, _ dimensions: [(String, String)], _ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        Timer(label: "succession_\(name)", dimensions: dimensions, factory: factory)
            .recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
#endif
