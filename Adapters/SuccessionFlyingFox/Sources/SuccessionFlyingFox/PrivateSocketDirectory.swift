// SPDX-License-Identifier: Apache-2.0

import FlyingSocks
import Glibc

/// A directory that only this user can enter, where FlyingFox's server listens.
struct PrivateSocketDirectory: Sendable {
    private let path: String

    /// Makes it below `$TMPDIR`, or `/tmp`.
    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/succession-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SocketError.makeFailed("MakeDirectory") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The address of the server.
    var server: sockaddr_un { .unix(path: "\(path)/server") }

    /// A connection to the server by which the server sees the name `<path>/<name>`.
    func connect(as name: String, pool: some AsyncSocketPool) async throws -> AsyncSocket {
        let file = "\(path)/\(name)"
        let socket = try Socket(domain: AF_UNIX, type: .stream)
        do {
            _ = fcntl(socket.file.rawValue, F_SETFD, FD_CLOEXEC)
            try socket.bind(to: sockaddr_un.unix(path: file))
            // The socket keeps its name.
            unlink(file)
            let connection = try AsyncSocket(socket: socket, pool: pool)
            try await connection.connect(to: server)
            return connection
        } catch {
            try? socket.close()
            throw error
        }
    }

    func remove() {
        unlink("\(path)/server")
        rmdir(path)
    }
}
