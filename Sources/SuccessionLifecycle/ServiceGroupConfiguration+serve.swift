// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle
public import ServiceLifecycle
public import Succession

extension ServiceGroupConfiguration {
    /// Has the group become ready, serve and leave as a generation; call it when all services are
    /// listed.
    ///
    /// The generation is ready when every service's `run()` has been entered and `whenReady` has
    /// returned: a service that builds its server in there says so by that. When the generation
    /// drains, because a successor serves or somebody asked, the group shuts down gracefully; a
    /// graceful shutdown of the group drains the generation as the last of its line; a cancelled
    /// group, for instance after ``maximumGracefulShutdownDuration``, cuts what is open. `run()` of
    /// the group returns when everything that was open is finished or cut.
    ///
    /// A service may return when the generation drains, as one does whose listener accepts nothing
    /// more: the group hears of it in its turn, and takes it for no failure.
    ///
    /// A signal has one owner: what the group traps it takes from
    /// ``Succession/GenerationConfiguration/signals``, since it installs its handlers later.
    public mutating func serve(
        _ generation: Generation, whenReady: @escaping @Sendable () async throws -> Void = {}
    ) {
        let barrier = StartupBarrier(count: services.count)
        services = services.map { listed in
            var member = listed
            member.service = MemberService(
                service: listed.service, generation: generation, barrier: barrier)
            return member
        }
        services.insert(
            ServiceConfiguration(service: DrainService(generation: generation)), at: 0)
        services.append(
            ServiceConfiguration(
                service: SuccessionService(generation) {
                    await barrier.allArrived()
                    try await whenReady()
                }, successTerminationBehavior: .gracefullyShutdownGroup))
    }
}
#endif
