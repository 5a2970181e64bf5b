// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import MetricsTestKit
import Succession
import SuccessionMetrics
import Testing

@Suite struct MetricsTests {
    private let service = [("service", "web")]

    private func record(_ kinds: SuccessionEvent.Kind...) -> TestMetrics {
        let factory = TestMetrics()
        let metrics = SuccessionMetrics(factory)
        for kind in kinds {
            metrics.record(
                SuccessionEvent(
                    level: .info, service: "web", generation: 3, processID: 5, kind: kind,
                    message: ""))
        }
        return factory
    }

    private func counter(
        _ factory: TestMetrics, _ name: String, _ dimensions: (String, String)...
    ) throws -> Int64 {
        try factory.expectCounter("succession_\(name)", service + dimensions).totalValue
    }

    @Test func upgrades_areCountedByResultAndCode() throws {
        let factory = record(
            .handedOver(
                successor: 1, acceptGap: .microseconds(300), duration: .milliseconds(80)),
            .upgradeFailed(code: "exited", successor: 1, duration: .zero),
            .upgradeFailed(code: "timeout", successor: 1, duration: .zero),
            .upgradeFailed(code: "timeout", successor: 1, duration: .zero),
            .upgradeRefused(code: "busy"))
        #expect(try counter(factory, "upgrades", ("result", "committed")) == 1)
        #expect(try counter(factory, "upgrades", ("result", "failed")) == 3)
        #expect(try counter(factory, "upgrades", ("result", "refused")) == 1)
        #expect(try counter(factory, "upgrade_failures", ("code", "timeout")) == 2)
        #expect(try counter(factory, "upgrade_failures", ("code", "exited")) == 1)
        #expect(try counter(factory, "upgrade_failures", ("code", "busy")) == 1)
        let standstill = try factory.expectTimer("succession_standstill_duration", service)
        #expect(standstill.values == [300_000])
        let duration = try factory.expectTimer("succession_upgrade_duration", service)
        #expect(duration.values == [80_000_000])
    }

    @Test func drain_isMeasured() throws {
        let factory = record(
            .sample(connections: 7), .drainBegan(connections: 6, deadline: .seconds(30)),
            .drainProgress(connections: 2, age: .milliseconds(1_500), remaining: .seconds(1)),
            .drainEnded(cut: 2, duration: .seconds(30)))
        let own = service + [("generation", "3")]
        #expect(try factory.expectGauge("succession_connections", own).values == [7, 6, 2, 0])
        let age = try factory.expectGauge("succession_drain_age_seconds", own)
        #expect(age.values == [0, 1.5, 30])
        #expect(try counter(factory, "connections_cut") == 2)
        let duration = try factory.expectTimer("succession_drain_duration", service)
        #expect(duration.values == [30_000_000_000])
    }

    @Test func reloads_areCountedByResult() throws {
        let factory = record(.reloaded(duration: .zero), .reloadFailed(code: "application"))
        #expect(try counter(factory, "reloads", ("result", "accepted")) == 1)
        #expect(try counter(factory, "reloads", ("result", "application")) == 1)
    }

    @Test func generation_measured_tellsItsConnectionsAndStillItsEvents() async throws {
        let factory = TestMetrics()
        let (samples, sample) = AsyncStream.makeStream(of: Int.self)
        let test = try await TestGeneration {
            $0.onEvent = { event in
                if case .sample(let connections) = event.kind { sample.yield(connections) }
            }
            $0.measure(with: factory, every: .milliseconds(20))
        }
        try await test.generation.ready()
        let connection = test.generation.connections.register(peer: "", protocol: "test") {}
        _ = await samples.first { $0 == 1 }
        connection.close()
        _ = await samples.first { $0 == 0 }
        await test.leave()
        let gauge = try factory.expectGauge(
            "succession_connections", [("service", "inside"), ("generation", "1")])
        #expect(gauge.values.contains(1))
        #expect(gauge.lastValue == 0)
        #expect(
            try factory.expectTimer("succession_drain_duration", [("service", "inside")])
                .values.count == 1)
    }
}
