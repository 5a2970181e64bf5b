// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import Synchronization
import Testing

/// The product SwapControl, used as a deployment tool uses it.
@Suite(.serialized) struct ServiceControlTests {
    private static let listen = ["--listen", "echo=tcp:127.0.0.1:0", "--reload", "accept"]

    private func start() throws -> (TestService, ServiceControl) {
        let service = try TestService()
        _ = try service.startFixture(Self.listen)
        return (
            service, try ServiceControl(service: service.name, runtimeDirectory: service.runtime)
        )
    }

    private func request(_ service: TestService, _ options: [String] = []) -> UpgradeRequest {
        var request = UpgradeRequest()
        request.command = SuccessorCommand(
            executable: Binaries.fixture,
            arguments: ["fixture", "serve", "--service", service.name] + Self.listen + options)
        return request
    }

    @Test func status_whenServing_showsTheGeneration() async throws {
        let (service, control) = try start()
        #expect(control.service == service.name)
        let status = try await control.status()
        #expect(status.generations.count == 1)
        let serving = try #require(status.serving)
        #expect(serving.number == 1)
        #expect(serving.processID == service.companions.first.map { Int($0.processID) })
        #expect(serving.listeners.map(\.name) == ["echo"])
        #expect(!serving.isUpgrading)
        #expect(serving.remaining == nil)
    }

    @Test func status_whenNobodyServes_throws() async throws {
        let service = try TestService()
        let control = try ServiceControl(service: service.name, runtimeDirectory: service.runtime)
        await #expect { _ = try await control.status() } throws: { error in
            (error as? ControlError)?.code == .noSuchService
        }
        #expect { _ = try ServiceControl(service: "a/b") } throws: { error in
            (error as? ControlError)?.code == .usage
        }
    }

    @Test func upgrade_whenItSucceeds_reportsEventsAndTheDrain() async throws {
        let (service, control) = try start()
        let events = Mutex<[ServiceEvent]>([])
        let outcome = try await control.upgrade(request(service)) { event in
            events.withLock { $0.append(event) }
        }
        #expect(outcome.isCommitted)
        #expect(outcome.serving?.generation == 2)
        #expect(outcome.drain?.isClean == true)
        #expect(outcome.failure == nil)
        let kinds = events.withLock { $0.map(\.kind) }
        #expect(kinds.first == .asked)
        #expect(kinds.contains(.step))
        #expect(kinds.contains(.committed))
        #expect(kinds.last == .left)
        #expect(try await control.status().serving?.number == 2)
    }

    @Test func upgrade_whenTheSuccessorFails_isAnOutcome() async throws {
        let (service, control) = try start()
        defer { withExtendedLifetime(service) {} }
        var request = UpgradeRequest()
        request.command = SuccessorCommand(
            executable: "/bin/sh", arguments: ["sh", "-c", "exit 7"])
        let outcome = try await control.upgrade(request)
        #expect(!outcome.isCommitted)
        #expect(outcome.failure?.exitStatus == 7)
        #expect(outcome.serving?.generation == 1)
        #expect(outcome.drain == nil)
    }

    @Test func reloadAndDrain_reportWhatTheServerDid() async throws {
        let (service, control) = try start()
        defer { withExtendedLifetime(service) {} }
        #expect(try await control.reload().serving.generation == 1)
        let outcome = try await control.drain(deadline: .seconds(5))
        #expect(outcome.end == .left)
        #expect(outcome.isClean)
        await #expect { _ = try await control.drain() } throws: { error in
            (error as? ControlError)?.code == .noSuchService
        }
    }

    // MARK: - Cancellation

    @Test func upgrade_whenCancelledBeforeTheResult_throwsAndGoesOn() async throws {
        let (service, control) = try start()
        let fifo = try Fifo(in: service.directory)
        let request = request(service, ["--fault", "hold:send ready:\(fifo.path)"])
        let task = Task { try await control.upgrade(request) }
        try fifo.waitUntilReached()
        task.cancel()
        let result = await task.result
        #expect(throws: ControlError.self) { try result.get() }
        if case .failure(let error) = result {
            #expect((error as? ControlError)?.code == .cancelled)
        }
        // The upgrade goes on, and can be called off.
        #expect(try await control.status().generations.contains { $0.isUpgrading })
        try await control.abort()
        #expect(try await control.status().serving?.number == 1)
        await #expect { try await control.abort() } throws: { error in
            (error as? ControlError)?.code == .noUpgrade
        }
    }

    @Test func upgrade_whenCancelledAfterTheResult_returnsWithoutTheDrain() async throws {
        let (service, control) = try start()
        // An open connection keeps the predecessor.
        let client = try EchoClient(port: service.port("echo"))
        _ = try client.greet()
        let request = request(service)
        let isCommitted = AsyncStream<Void>.makeStream()
        let task = Task {
            try await control.upgrade(request) { event in
                if event.kind == .draining { isCommitted.continuation.yield() }
            }
        }
        for await _ in isCommitted.stream { break }
        task.cancel()
        let outcome = try await task.value
        #expect(outcome.isCommitted)
        #expect(outcome.drain == nil)
    }

    @Test func drain_whenCancelled_throwsAndGoesOn() async throws {
        let (service, control) = try start()
        let client = try EchoClient(port: service.port("echo"))
        _ = try client.greet()
        let isDraining = AsyncStream<Void>.makeStream()
        let task = Task {
            try await control.drain { event in
                if event.kind == .draining { isDraining.continuation.yield() }
            }
        }
        for await _ in isDraining.stream { break }
        task.cancel()
        let result = await task.result
        guard case .failure(let error) = result else {
            Issue.record("the drain of a generation with a connection ended")
            return
        }
        #expect((error as? ControlError)?.code == .cancelled)
        #expect(try await control.status().generations.first?.state == .draining)
    }

    @Test func everyMethod_whenTheTaskIsCancelledAlready_throwsAtOnce() async throws {
        let (service, control) = try start()
        defer { withExtendedLifetime(service) {} }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await control.status()
        }
        let result = await task.result
        #expect(throws: ControlError.self) { try result.get() }
        #expect(try await control.status().serving?.number == 1)
    }
}
