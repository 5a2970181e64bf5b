// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle
import ServiceLifecycle
import Succession

/// A service of the group as it was listed, which says when it runs, and leaves in its turn.
///
/// A group that shuts down ends its services one after the other, and cancels all of them if one
/// returns ahead of its turn, as one does that returns because its listener accepts nothing more.
struct MemberService: Service, CustomStringConvertible {
    let service: any Service
    let generation: Generation
    let barrier: StartupBarrier

    @concurrent
    func run() async throws {
        barrier.arrive()
        try await service.run()
        // One that returns while the generation serves has its own reasons, and the group its own
        // way with them.
        if case .draining = generation.state { try? await gracefulShutdown() }
    }

    var description: String { "\(service)" }
}
#endif
