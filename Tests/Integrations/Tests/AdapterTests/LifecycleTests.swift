// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import Succession
import SuccessionLifecycle
import Synchronization
import Testing

/// A service group around a generation; `EndToEndTests` upgrades one.
@Suite(.timeLimit(.minutes(1))) struct LifecycleTests {
    /// Runs until its group shuts down, and records what happens.
    private final class Probe: Service {
        private let diary = Mutex<[String]>([])
        private let (pages, page) = AsyncStream.makeStream(of: String.self)
        private let name: String
        private let whenRun: @Sendable () async throws -> Void

        init(_ name: String = "probe", whenRun: @escaping @Sendable () async throws -> Void = {}) {
            self.name = name
            self.whenRun = whenRun
        }

        var entries: [String] { diary.withLock { $0 } }
        func write(_ entry: String) {
            diary.withLock { $0.append(entry) }
            page.yield(entry)
        }

        /// Returns when the entry is written, or when the task is cancelled; for one caller.
        func until(_ entry: String) async { _ = await pages.first { $0 == entry } }

        func run() async throws {
            try await whenRun()
            write("runs")
            do {
                try await gracefulShutdown()
                write("shut down")
            } catch {
                write("cancelled")
            }
        }
    }

    private struct Broken: Error, CustomStringConvertible {
        let description = "line 3 of the configuration"
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func group(
        _ generation: Generation, _ services: [any Service], atMost limit: Duration? = nil,
        whenReady: @escaping @Sendable () async throws -> Void = {}
    ) -> ServiceGroup {
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, logger: logger)
        configuration.maximumGracefulShutdownDuration = limit
        configuration.serve(generation, whenReady: whenReady)
        return ServiceGroup(configuration: configuration)
    }

    private func untilServing(_ generation: Generation) async {
        _ = await generation.states.first { $0 == .serving }
    }

    @Test func generation_whenItDrains_shutsTheGroupDown() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let probe = Probe()
        let group = group(generation, [probe])
        async let end: Void = group.run()
        await untilServing(generation)
        await generation.drain()
        try await end
        #expect(probe.entries == ["runs", "shut down"])
        await test.leave()
    }

    @Test func group_toldToShutDown_drainsAndWaitsForConnections() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let probe = Probe()
        let group = group(generation, [probe])
        let connection = generation.connections.register(peer: "", protocol: "test") {}
        let running = Task {
            try await group.run()
            probe.write("over")
        }
        await untilServing(generation)
        await group.triggerGracefulShutdown()
        await generation.draining()
        await probe.until("shut down")
        probe.write("closed")
        connection.close()
        try await running.value
        #expect(probe.entries == ["runs", "shut down", "closed", "over"])
        #expect(generation.connections.cutCount == 0)
        await test.leave()
    }

    @Test func shutdown_thatTakesTooLong_cutsWhatIsOpen() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let wasCut = Atomic(false)
        let connection = generation.connections.register(peer: "", protocol: "test") {
            wasCut.store(true, ordering: .relaxed)
        }
        let group = group(generation, [Probe()], atMost: .milliseconds(50))
        let running = Task { try await group.run() }
        await untilServing(generation)
        await group.triggerGracefulShutdown()
        await #expect(throws: CancellationError.self) { try await running.value }
        let isCut = wasCut.load(ordering: .relaxed)
        #expect(isCut)
        #expect(generation.connections.cutCount == 1)
        withExtendedLifetime(connection) {}
        await test.leave()
    }

    @Test func service_thatFails_cutsWhatIsOpen() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let connection = generation.connections.register(peer: "", protocol: "test") {}
        let probe = Probe()
        let failing = Probe("failing") {
            await generation.draining(after: .serving)
            throw Broken()
        }
        let group = group(generation, [probe, failing])
        await #expect(throws: Broken.self) { try await group.run() }
        #expect(generation.connections.cutCount == 1)
        withExtendedLifetime(connection) {}
        await test.leave()
    }

    /// What a loop over `accept()` does: the group alone would take it for a failure.
    @Test func services_thatReturnWhenTheGenerationDrains_areNoFailure() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        struct Loop: Service {
            let generation: Generation
            func run() async throws { await generation.draining() }
        }
        let probe = Probe()
        let connection = generation.connections.register(peer: "", protocol: "test") {}
        let loops = (1...4).map { _ in Loop(generation: generation) }
        let group = group(generation, loops + [probe] + loops)
        let running = Task { try await group.run() }
        await untilServing(generation)
        await generation.drain()
        await probe.until("shut down")
        connection.close()
        try await running.value
        #expect(generation.connections.cutCount == 0)
        await test.leave()
    }

    @Test func generation_untilAllServicesRunAndTheServerIsBuilt_isNotReady() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let (built, build) = AsyncStream.makeStream(of: Void.self)
        let probes = (1...3).map { number in
            Probe("\(number)") { #expect(generation.state == .starting) }
        }
        let group = group(generation, probes) {
            for probe in probes { await probe.until("runs") }
            #expect(generation.state == .starting)
            for await _ in built { return }
        }
        async let end: Void = group.run()
        #expect(generation.state == .starting)
        build.yield()
        await untilServing(generation)
        await generation.drain()
        try await end
        await test.leave()
    }

    @Test func server_thatCannotBeBuilt_endsTheGroupWithItsError() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let probe = Probe()
        let group = group(generation, [probe]) { throw Broken() }
        await #expect(throws: Broken.self) { try await group.run() }
        #expect(generation.state != .serving)
        await test.leave()
    }

    @Test func group_toldToShutDownBeforeReady_neverServes() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let states = generation.states
        let (reached, reach) = AsyncStream.makeStream(of: Void.self)
        let group = group(generation, [Probe()]) {
            reach.yield()
            // For ever, unless cancelled.
            for await _ in AsyncStream<Void>.makeStream().stream {}
        }
        async let end: Void = group.run()
        for await _ in reached { break }
        await group.triggerGracefulShutdown()
        try await end
        let seen = await states.prefix(2).reduce(into: []) { $0.append($1) }
        #expect(seen.first == .starting)
        #expect(seen.last == .draining(deadline: .seconds(30)))
        await test.leave()
    }

    @Test func service_addedByHand_doesTheSameWithoutTheWait() async throws {
        let test = try await TestGeneration()
        let generation = test.generation
        let probe = Probe()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: probe),
                    .init(
                        service: SuccessionService(generation),
                        successTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: logger))
        async let end: Void = group.run()
        await untilServing(generation)
        await generation.drain()
        try await end
        #expect(probe.entries == ["runs", "shut down"])
        await test.leave()
    }
}

extension Generation {
    fileprivate func draining(after wanted: GenerationState) async {
        _ = await states.first { $0 == wanted }
    }
}
