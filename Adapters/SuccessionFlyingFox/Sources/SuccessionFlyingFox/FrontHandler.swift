// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Succession
import Synchronization

/// In front of the application's handler: requests get the address of their client, and responses
/// say `Connection: close` while the generation drains.
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
        request.remoteAddress = clients.address(request.remoteAddress)
        var response: HTTPResponse
        do {
            response = try await base.handleRequest(request)
        } catch is HTTPUnhandledError {
            response = HTTPResponse(statusCode: .notFound)
        }
        // A WebSocket's says `upgrade`.
        if case .draining = generation.state, case .httpBody = response.payload {
            response.headers[.connection] = "close"
        }
        return response
    }
}

/// The clients behind the relayed connections, by the name that FlyingFox sees.
final class RelayedClients: Sendable {
    private struct State {
        var addresses: [String: HTTPRequest.Address] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    /// Returns the name for a connection.
    func add(_ address: Socket.Address?) -> String {
        state.withLock { state in
            state.lastNumber += 1
            let name = String(state.lastNumber)
            state.addresses[name] = address.map(HTTPRequest.Address.make)
            return name
        }
    }

    func remove(_ name: String) {
        state.withLock { state in _ = state.addresses.removeValue(forKey: name) }
    }

    /// The address behind the one that FlyingFox sees.
    func address(_ seen: HTTPRequest.Address?) -> HTTPRequest.Address? {
        guard case .unix(let path) = seen, let slash = path.lastIndex(of: "/") else { return nil }
        return state.withLock { $0.addresses[String(path[path.index(after: slash)...])] }
    }
}
