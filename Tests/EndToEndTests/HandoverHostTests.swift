// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import Testing

/// Another host than a server's generation plays predecessor: a process that only holds a listener.
@Suite(.serialized) struct HandoverHostTests {
    init() throws { try ReadinessLoop.shared.start() }

    private func options(_ service: TestService, _ more: [String] = []) -> [String] {
        ["serve", "--service", service.name, "--listen", "echo=tcp:127.0.0.1:0"] + more
    }

    @Test func holder_ofAListener_startsAnUnmodifiedServer_andAnotherWhenThatDies() async throws {
        let service = try TestService()
        let holder = try await ListenerHolder(
            service, program: Binaries.fixture, options(service))
        // In the queue, before anybody serves.
        let early = try EchoClient(port: holder.port)
        let first = await holder.start()
        #expect(first.failure == nil, "\(first)")
        #expect(try early.greet() == first.successor)
        #expect(try early.exchange("served") == "served")
        #expect(await holder.events == ["begins", "stoodBy", "succeeded"])

        let next = await holder.expectOutcome()
        try ProcessHandle.open(first.successor).signal(Signals.kill)
        let patient = try EchoClient(port: holder.port)
        let second = await next.value()
        #expect(second.failure == nil, "\(second)")
        #expect(second.successor != first.successor)
        #expect(try patient.greet() == second.successor)
        #expect(await holder.events.suffix(4) == ["takeOver", "begins", "stoodBy", "succeeded"])
    }

    @Test func holder_whoseServerFails_hearsWhy_andKeepsTheListener() async throws {
        let service = try TestService()
        let bad = try await ListenerHolder(
            service, program: "/bin/sh", ["-c", "echo broken >&2; exit 7"])
        let waiting = try EchoClient(port: bad.port)
        let outcome = await bad.start()
        #expect(outcome.failure?.code == .exited, "\(outcome)")
        #expect(outcome.exit == .exited(7))
        #expect(outcome.lastLines == ["broken"])
        #expect(await bad.events == ["begins"])
        #expect(try !waiting.isClosed(within: 50))
    }
}
