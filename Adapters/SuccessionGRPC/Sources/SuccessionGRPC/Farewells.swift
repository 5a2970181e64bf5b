// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Succession
import Synchronization

/// Tells every connection of a listener that its generation has stopped accepting for good.
final class Farewells: Acceptor {
    private struct State {
        var connections: [ObjectIdentifier: any Channel] = [:]
        var isOver = false
    }

    private let state = Mutex(State())

    func add(_ connection: any Channel) {
        let id = ObjectIdentifier(connection)
        let isOver = state.withLock { state in
            state.connections[id] = connection
            return state.isOver
        }
        connection.closeFuture.whenComplete { [self] _ in
            state.withLock { state in _ = state.connections.removeValue(forKey: id) }
        }
        if isOver { connection.pipeline.fireUserInboundEventTriggered(Farewell()) }
    }

    func resume() {}

    func pause() {}

    func stop() {
        let connections = state.withLock { state in
            state.isOver = true
            return Array(state.connections.values)
        }
        for connection in connections {
            connection.pipeline.fireUserInboundEventTriggered(Farewell())
        }
    }
}

/// The connection's generation has stopped accepting for good.
package struct Farewell: Sendable {
    package init() {}
}
