// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Foundation
import Glibc
import Succession

/// Carries bytes between the connections of a listener and FlyingFox's server.
struct ConnectionRelay: Sendable {
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
            socket: connection.withUnsafeDescriptor { Socket(file: .init(rawValue: $0)) },
            pool: pool)
        let name = clients.add(try? outer.socket.remotePeer())
        defer { clients.remove(name) }
        let inner = try await place.connect(as: name, pool: pool)
        defer { try? inner.close() }
        await withTaskGroup { directions in
            directions.addTask { await Self.carry(from: outer, to: inner) }
            directions.addTask {
                await Self.carry(from: inner, to: outer)
                // FlyingFox has closed: what the client still sends is for nobody.
                outer.shutDownReading()
            }
        }
    }

    /// Carries bytes until there are no more, and then says so.
    private static func carry(from source: AsyncSocket, to target: AsyncSocket) async {
        do {
            // Throws at end-of-file.
            while true {
                try await target.write(Data(source.read(atMost: 65_536)))
            }
        } catch {
            target.shutDownWriting()
        }
    }
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
