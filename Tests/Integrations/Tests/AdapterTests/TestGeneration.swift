// SPDX-License-Identifier: Apache-2.0

import Foundation
import Succession

/// A generation in the process of the test: the first of its line, without signals.
struct TestGeneration: ~Copyable {
    let generation: Generation
    private let directory = NSTemporaryDirectory() + "/succession-\(UInt32.random(in: 0 ... .max))"

    init(_ configure: (inout GenerationConfiguration) -> Void = { _ in }) async throws {
        var configuration = GenerationConfiguration()
        configuration.runtimeDirectory = directory
        configuration.signals = [:]
        configuration.exitGrace = nil
        configuration.onEvent = { _ in }
        configure(&configuration)
        generation = try await Generation.begin("inside", configuration: configuration)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Ends what the test has left.
    func leave() async {
        await generation.drain(deadline: .zero)
        await generation.drained()
    }
}
