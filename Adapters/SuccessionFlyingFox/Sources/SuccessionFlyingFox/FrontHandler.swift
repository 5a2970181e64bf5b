// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Succession
import Synchronization

/// In front of the application's handler: requests get the address of their client, and the last
/// response says `Connection: close` while the generation drains.
struct FrontHandler: HTTPHandler {
    private let base: any HTTPHandler
    private let clients: RelayedClients
    private let generation: Generation

    init(_ base: any HTTPHandler, clients: RelayedClients, generation: Generation) {
        self.base = base
        self.clients = clients
        self.generation = generation
    }

    @concurrent
    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        var request = request
        let connection = clients.connection(request.remoteAddress)
        request.remoteAddress = connection?.client
        var response: HTTPResponse
        do {
            response = try await base.handleRequest(request)
        } catch is HTTPUnhandledError {
            response = HTTPResponse(statusCode: .notFound)
        } catch {
            // FlyingFox answers for it.
            _ = connection?.answersLastRequest(isDraining: isDraining)
            throw error
        }
        // A WebSocket's says `upgrade`.
        guard case .httpBody = response.payload else { return response }
        if connection?.answersLastRequest(isDraining: isDraining) == true {
            response.headers[.connection] = "close"
        }
        return response
    }

    private var isDraining: Bool {
        if case .draining = generation.state { true } else { false }
    }
}

/// The relayed connections, by the name that FlyingFox sees.
final class RelayedClients: Sendable {
    private struct State {
        var connections: [String: RelayedConnection] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    /// Returns the name for a connection.
    func add(_ connection: RelayedConnection) -> String {
        state.withLock { state in
            state.lastNumber += 1
            let name = String(state.lastNumber)
            state.connections[name] = connection
            return name
        }
    }

    func remove(_ name: String) {
        state.withLock { state in _ = state.connections.removeValue(forKey: name) }
    }

    /// The connection behind the address that FlyingFox sees.
    func connection(_ seen: HTTPRequest.Address?) -> RelayedConnection? {
        guard case .unix(let path) = seen, let slash = path.lastIndex(of: "/") else { return nil }
        return state.withLock { $0.connections[String(path[path.index(after: slash)...])] }
    }
}
