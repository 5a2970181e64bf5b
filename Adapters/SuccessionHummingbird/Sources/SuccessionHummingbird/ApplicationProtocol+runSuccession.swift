// SPDX-License-Identifier: Apache-2.0

public import Hummingbird
public import Succession

extension ApplicationProtocol {
    /// Runs the application as a generation of a service: inherits its listeners or binds them,
    /// serves, hands them to its successor, drains and returns.
    ///
    /// ```swift
    /// try await app.runSuccession(service: "web", at: .tcp("*", 8080))
    /// ```
    ///
    /// Takes the place of `runService()`; the address in the application's own configuration is not
    /// used. `SIGUSR2` upgrades, `SIGTERM` drains, `SIGINT` stops, unless the configuration says
    /// otherwise; `SIGHUP` is left alone, for it also says that a terminal was closed. The
    /// listeners are called `http`. Throws if the generation cannot begin or the application fails;
    /// a predecessor is told why, and serves on.
    @concurrent
    public func runSuccession(
        service: String, at addresses: ListenAddress...,
        configuration: GenerationConfiguration = GenerationConfiguration()
    ) async throws {
        let generation = try await Generation.begin(service, configuration: configuration)
        do {
            let listeners = try addresses.map { try generation.listener("http", orBind: $0) }
            try await AdoptedApplication(self, on: listeners, of: generation).run()
        } catch {
            if generation.state == .starting { _ = await generation.refuse("\(error)") }
            throw error
        }
    }
}
