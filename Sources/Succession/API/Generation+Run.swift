// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

extension Generation {
    /// Runs a server from begin to drain: begins a generation, calls `body` with it, drains when
    /// `body` ends, and returns when nothing is open any more.
    ///
    /// ```swift
    /// try await Generation.run("web") { generation in
    ///     let http = try generation.listener("http", orBind: .tcp("0.0.0.0", 8080))
    ///     // build the server on `http` …
    ///     try await generation.ready()
    ///     await generation.draining()
    /// }
    /// ```
    ///
    /// `body` calls ``ready()``, and returns when the generation drains, or when it has served
    /// enough. It runs where the caller runs.
    ///
    /// - When `body` returns or throws and the generation serves, a drain begins, with the deadline of
    ///   the configuration and without a successor. A drain that has begun already keeps its deadline.
    ///   What `body` returned or threw is the outcome once the drain is over.
    /// - When `body` returns or throws before the generation has served, nothing is drained. A
    ///   predecessor is refused, its operator is shown the error that was thrown, and it serves on.
    /// - Cancelling the task cancels `body`, in which ``draining()`` then returns and
    ///   ``Listener/accept()`` gives nil; when `body` has ended, all goes on as above. The wait for the
    ///   end of the drain is not cut short by a cancellation: the deadline bounds it, and
    ///   ``drain(deadline:)`` brings that forward.
    ///
    /// Throws what ``begin(_:configuration:)`` throws, before `body` is called, and what `body` throws.
    public static func run<Result>(
        _ service: String, configuration: GenerationConfiguration = GenerationConfiguration(),
        _ body: (Generation) async throws -> Result
    ) async throws -> Result {
        let generation = try await begin(service, configuration: configuration)
        let result: Result
        do {
            result = try await body(generation)
        } catch {
            await generation.end(ifNotReady: "\(error)")
            throw error
        }
        await generation.end(ifNotReady: "the server ended before it was ready")
        return result
    }

    private func end(ifNotReady reason: String) async {
        switch state {
        case .starting:
            _ = await refuse(reason)
            await drain(deadline: .zero)
        case .serving, .standby:
            await drain()
        case .draining:
            // Asked for a second time, it would end earlier.
            break
        }
        // In a task that nobody cancels, and not on the pool: see `drained()`.
        await Task(executorPreference: ReadinessLoop.shared) { [core] in
            await core.untilDrained()
        }.value
    }
}
