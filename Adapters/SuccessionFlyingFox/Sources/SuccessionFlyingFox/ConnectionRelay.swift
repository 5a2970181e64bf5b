// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Foundation
import Glibc
import Succession
import SystemPackage

/// Carries bytes between the connections of a listener and FlyingFox's server.
struct ConnectionRelay: Sendable {
    /// How long a client may take to close its end when the server has closed.
    private static let lingerTime = Duration.seconds(2)

    private let place: PrivateSocketDirectory
    private let clients: RelayedClients
    private let pool: any AsyncSocketPool
    private let places = ConnectionPlaces.shared

    init(to place: PrivateSocketDirectory, clients: RelayedClients, pool: any AsyncSocketPool) {
        self.place = place
        self.clients = clients
        self.pool = pool
    }

    /// Relays each connection until its end; returns when the generation has stopped accepting and
    /// none is left.
    func connections(of listener: Listener) async throws {
        try await withThrowingDiscardingTaskGroup { relays in
            while let connection = try await next(of: listener) {
                relays.addTask {
                    // A connection that breaks is no error of the server's.
                    try? await relay(connection)
                    places.free()
                }
            }
        }
    }

    /// A connection that has a place; what there is none for waits in the listener's queue.
    private func next(of listener: Listener) async throws -> Connection? {
        guard await places.take() else { return nil }
        do {
            if let connection = try await listener.accept() { return connection }
        } catch {
            places.free()
            throw error
        }
        places.free()
        return nil
    }

    private func relay(_ connection: Connection) async throws {
        defer { connection.close() }
        let outer = try AsyncSocket(
            socket: connection.withUnsafeDescriptor { Socket(file: .init(rawValue: $0.rawValue)) },
            pool: pool)
        let relayed = RelayedConnection(
            client: (try? outer.socket.remotePeer()).map(HTTPRequest.Address.make))
        let name = clients.add(relayed)
        defer { clients.remove(name) }
        let inner = try await place.connect(as: name, pool: pool)
        defer { try? inner.close() }
        relayed.reach(inner.socket.file.rawValue)
        defer { relayed.leave() }
        await carry(between: outer, and: inner, relayed, connection.entry)
    }

    private enum Part {
        case toServer, toClient, drain, linger
    }

    private func carry(
        between outer: AsyncSocket, and inner: AsyncSocket, _ relayed: RelayedConnection,
        _ entry: ConnectionRegistry.Entry
    ) async {
        await withTaskGroup(of: Part.self) { parts in
            parts.addTask {
                await Self.carry(from: outer, toServer: inner, relayed)
                return .toServer
            }
            parts.addTask {
                await Self.carry(from: inner, toClient: outer, relayed)
                return .toClient
            }
            parts.addTask {
                await ConnectionDrain(entry).end(relayed)
                return .drain
            }
            var ended: Set<Part> = []
            while !ended.isSuperset(of: [.toServer, .toClient]), let part = await parts.next() {
                ended.insert(part)
                switch part {
                case .toClient:
                    // What the client still sends is for nobody, but a socket that is closed with
                    // unread data resets the connection, and the response may be lost.
                    entry.settled()
                    parts.addTask {
                        try? await Task.sleep(for: Self.lingerTime)
                        return .linger
                    }
                case .linger: outer.shutDownReading()
                case .toServer, .drain: break
                }
            }
            parts.cancelAll()
        }
    }

    private static func carry(
        from client: AsyncSocket, toServer server: AsyncSocket, _ relayed: RelayedConnection
    ) async {
        do {
            // Throws at end-of-file.
            while true {
                let bytes = relayed.take(Data(try await client.read(atMost: 65_536)))
                if !bytes.isEmpty { try await server.write(bytes) }
                relayed.wrote()
            }
        } catch {
            server.shutDownWriting()
        }
    }

    private static func carry(
        from server: AsyncSocket, toClient client: AsyncSocket, _ relayed: RelayedConnection
    ) async {
        do {
            while true {
                try await client.write(Data(server.read(atMost: 65_536)))
                relayed.used()
            }
        } catch {
            if relayed.isCutInHead { try? await client.write(Data(Self.tooLate.utf8)) }
            client.shutDownWriting()
        }
    }

    /// Allows the client to repeat the request (RFC 9110 §15.5.9).
    private static let tooLate =
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
}

extension AsyncSocket {
    fileprivate func shutDownWriting() {
        _ = shutdown(socket.file.rawValue, CInt(SHUT_WR))
    }

    /// Wakes who waits for something to read.
    fileprivate func shutDownReading() {
        _ = shutdown(socket.file.rawValue, CInt(SHUT_RD))
    }
}
