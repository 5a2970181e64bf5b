// SPDX-License-Identifier: Apache-2.0

#if ServiceLifecycle
import ServiceLifecycle
import Succession

/// Keeps a service group alive until its generation has drained, and has the generation cut what is
/// left when the group is cancelled.
///
/// First in the list, so that it is the last to be told to shut down.
struct DrainService: Service, CustomStringConvertible {
    let generation: Generation

    @concurrent
    func run() async throws {
        await withTaskCancellationHandler {
            await generation.drained()
        } onCancel: {
            Task { await generation.leaveAtOnce() }
        }
        // Not ahead of its turn, see `MemberService`.
        if !Task.isCancelled { try? await gracefulShutdown() }
        guard Task.isCancelled else { return }
        // The wait above may have ended with the cancellation; this one is in a task that nobody
        // has cancelled, and the deadline of zero ends it.
        await Task { [generation] in
            await generation.leaveAtOnce()
            await generation.drained()
        }.value
        throw CancellationError()
    }

    var description: String { "drain of \(generation.service)" }
}

extension Generation {
    /// Cuts what is open; one that does not serve yet tells its predecessor that it will not.
    func leaveAtOnce() async {
        if state == .starting {
            _ = await refuse("its service group was cancelled before it was ready")
        }
        await drain(deadline: .zero)
    }
}
#endif
