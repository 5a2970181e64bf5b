// SPDX-License-Identifier: Apache-2.0

import Foundation
import InMemoryLogging
import Logging
import Succession
import SuccessionLogging
import Testing

@Suite struct LoggingTests {
    private func logger(_ handler: InMemoryLogHandler) -> Logger {
        var logger = Logger(label: "test") { _ in handler }
        logger.logLevel = .trace
        return logger
    }

    @Test func generation_fromReadyToDrained_isLoggedWithWhoItIs() async throws {
        let handler = InMemoryLogHandler()
        let test = try await TestGeneration {
            $0.log(to: logger(handler))
            $0.sampleInterval = .seconds(60)
        }
        _ = try test.generation.listener("web", orBind: ListenAddress("tcp:127.0.0.1:0"))
        try await test.generation.ready()
        await test.leave()
        let entries = handler.entries
        #expect(!entries.isEmpty)
        for entry in entries {
            #expect(entry.metadata["service"] == "inside")
            #expect(entry.metadata["generation"] == "1")
            #expect(entry.metadata["pid"] == "\(ProcessInfo.processInfo.processIdentifier)")
        }
        let events = entries.compactMap { $0.metadata["event"]?.description }
        #expect(events == ["serving", "sample", "drain", "draining", "drained"])
        #expect(entries.map(\.level) == [.info, .trace, .info, .debug, .info])
        #expect(entries.last?.metadata["cut"] == "0")
    }

    @Test(arguments: [
        (
            SuccessionEvent.Kind.handedOver(
                successor: 42, acceptGap: .microseconds(1_500), duration: .seconds(2)),
            [
                "event": "handed-over", "successor": "42", "standstill_ms": "1",
                "duration_ms": "2000",
            ]
        ),
        (
            .upgradeFailed(code: "exited", successor: 42, duration: .milliseconds(7)),
            ["event": "upgrade-failed", "code": "exited", "successor": "42", "duration_ms": "7"]
        ),
        (.upgradeStarted(requestedBy: nil), ["event": "upgrade"]),
        (.upgradeStarted(requestedBy: 7), ["event": "upgrade", "requested_by": "7"]),
        (
            .upgradeStep(name: "offer", duration: .zero),
            ["event": "step", "step": "offer", "duration_ms": "0"]
        ),
        (.leftOver(listener: "old"), ["event": "left-over", "listener": "old"]),
        (.note, [:]),
    ])
    func kind_isInTheMetadata(kind: SuccessionEvent.Kind, expected: [String: String]) {
        let handler = InMemoryLogHandler()
        let event = SuccessionEvent(
            level: .warning, service: "web", generation: 3, processID: 5, kind: kind,
            message: "a sentence")
        event.log(to: logger(handler))
        var metadata = handler.entries[0].metadata.mapValues(\.description)
        for key in ["service", "generation", "pid"] {
            #expect(metadata.removeValue(forKey: key) != nil)
        }
        #expect(metadata == expected)
        #expect(handler.entries[0].level == .warning)
        #expect("\(handler.entries[0].message)" == "a sentence")
    }
}
