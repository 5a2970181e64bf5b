// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore
import Synchronization

/// The connections that were taken from the queue and whose initialiser has not finished.
///
/// NIO closes them if their server channel is closed at that moment.
final class PendingSetups: Sendable {
    private struct State {
        var pending: Set<ObjectIdentifier> = []
        var waiting: [EventLoopPromise<Void>] = []
    }

    private let state = Mutex(State())

    func began(_ id: ObjectIdentifier) {
        state.withLock { state in _ = state.pending.insert(id) }
    }

    /// The connection is with the application, or gone; later calls do nothing.
    func ended(_ id: ObjectIdentifier) {
        let waiting = state.withLock { state -> [EventLoopPromise<Void>] in
            state.pending.remove(id)
            guard state.pending.isEmpty else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for promise in waiting { promise.succeed() }
    }

    /// Succeeds when there is none.
    func settled(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        state.withLock { state in
            if state.pending.isEmpty { return eventLoop.makeSucceededVoidFuture() }
            let promise = eventLoop.makePromise(of: Void.self)
            state.waiting.append(promise)
            return promise.futureResult
        }
    }
}
#endif
