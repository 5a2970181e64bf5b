// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage
import Testing

@testable import Succession

@Suite(.serialized) struct InheritedDescriptorTests {
    /// Calls with a generation that has a pipe, and with the end to write to.
    private func inside(
        _ body: (Generation, InheritedDescriptor, OwnedDescriptor) async throws -> Void
    ) async throws {
        let directory = "/tmp/succession-\(UInt32.random(in: 0 ... .max))"
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.onEvent = { _ in }
        let generation = try await Generation.begin("inside", configuration: configuration)
        let (readEnd, writeEnd) = try Syscall.pipe(nonBlocking: true)
        let pipe = try generation.descriptor("commands") {
            FileDescriptor(rawValue: readEnd.relinquish())
        }
        try await body(generation, pipe, writeEnd)
        await generation.drain(deadline: .zero)
        await generation.drained()
        for entry in (try? Syscall.listDirectory(directory)) ?? [] {
            try? Syscall.unlink(directory + "/" + entry)
        }
        try? Syscall.removeDirectory(directory)
    }

    @Test func pipe_isLentAndDuplicated_andStaysTheGenerations() async throws {
        try await inside { _, pipe, writeEnd in
            #expect(pipe.name == "commands")
            #expect(pipe.origin == .bound)
            let number = pipe.withUnsafeDescriptor { $0.rawValue }
            let copy = OwnedDescriptor(taking: try pipe.duplicate().rawValue)
            #expect(copy.rawValue != number)
            try Syscall.writeAll(writeEnd.rawValue, [7])
            #expect(try Syscall.read(copy.rawValue, count: 8) == [7])
            copy.close()
            try Syscall.writeAll(writeEnd.rawValue, [8])
            #expect(
                try pipe.withUnsafeDescriptor { try Syscall.read($0.rawValue, count: 8) } == [8])
        }
    }

    /// As every generation has said it: a peer of an earlier version takes it.
    @Test func pipe_inAnOffer_isOfTheKindOther() async throws {
        try await inside { generation, _, _ in
            let listeners = generation.core.shared.withLock { $0.listeners }
            #expect(listeners.map { Manifest.entry(for: $0).what } == ["other"])
        }
    }

    @Test func make_isNotCalledForWhatIsThere_andItsErrorIsThrown() async throws {
        struct Nothing: Error {}
        try await inside { generation, _, _ in
            #expect(throws: Nothing.self) {
                _ = try generation.descriptor("other") { throw Nothing() }
            }
        }
    }

    @Test func pipe_thatTheGenerationHasLetGo_isGone() async throws {
        try await inside { _, pipe, _ in
            pipe.carrier.letGo()
            #expect(pipe.withUnsafeDescriptor { $0.rawValue } == -1)
            let error = #expect(throws: SuccessionError.self) { _ = try pipe.duplicate() }
            #expect(error?.cause == .badFileDescriptor)
        }
    }
}
