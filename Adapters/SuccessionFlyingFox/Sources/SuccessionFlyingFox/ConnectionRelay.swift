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

    init(to place: PrivateSocketDirectory, clients: RelayedClients, pool: any AsyncSocketPool) {
        self.place = place
        self.clients = clients
        self.pool = pool
    }

    /// Relays each connection until its end; returns when the generation has stopped accepting and
    /// none is left.
    func connections(of listener: Listener) async throws {
        try await withThrowingDiscardingTaskGroup { relays in
            while let connection = try await listener.accept() {
                // A connection that breaks is no error of the server's.
                relays.addTask { try? await relay(connection) }
            }
        }
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
