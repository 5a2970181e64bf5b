// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// What a strict client asks of the server.
public struct ClientKind: Sendable, Hashable {
    enum Conversation: Sendable, Hashable {
        case http(path: String)
        case echo(line: String, greeting: Bool)
    }

    let conversation: Conversation
    /// After so many requests a connection is left for a new one, so that new ones keep coming.
    let requestsPerConnection: Int

    /// HTTP/1.1: `GET path` on connections that are kept alive, each response read to its end.
    ///
    /// A request is lost if the response is not a complete one with a status of 200 to 299, or if the server closes a
    /// connection that it had not announced to close (`Connection: close`).
    ///
    /// - Parameter requestsPerConnection: After how many requests the client opens a new connection; at least 1.
    public static func http(_ path: String = "/", requestsPerConnection: Int = 100) -> ClientKind {
        ClientKind(
            conversation: .http(path: path), requestsPerConnection: max(1, requestsPerConnection))
    }

    /// A line over TCP or a Unix socket, that must come back as it was sent; the connection is kept.
    ///
    /// - Parameters:
    ///   - line: Without a line feed.
    ///   - greeting: Whether the server sends a line of its own to each new connection, which the client skips.
    ///   - requestsPerConnection: After how many lines the client opens a new connection; at least 1.
    public static func tcp(
        echo line: String = "ping", greeting: Bool = false, requestsPerConnection: Int = 100
    ) -> ClientKind {
        ClientKind(
            conversation: .echo(line: line, greeting: greeting),
            requestsPerConnection: max(1, requestsPerConnection))
    }

    func connect(
        to address: SocketAddress, timeout: Duration
    ) throws(ClientFailure) -> any ClientConversation {
        switch conversation {
        case .http(let path):
            try HTTPConversation(connectingTo: address, path: path, timeout: timeout)
        case .echo(let line, let greeting):
            try EchoConversation(
                connectingTo: address, line: line, greeting: greeting, timeout: timeout)
        }
    }
}

/// One connection of a strict client, used by its thread alone.
protocol ClientConversation: AnyObject {
    /// Sends one request and reads its answer to the end.
    ///
    /// After a failure the connection is not used again.
    func exchange() throws(ClientFailure)
    /// The server has said that it closes the connection.
    var isOver: Bool { get }
}
