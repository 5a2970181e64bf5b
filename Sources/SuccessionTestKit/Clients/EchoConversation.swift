// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Lines that must come back as they were sent.
final class EchoConversation: ClientConversation {
    private let stream: ClientStream
    private let line: String
    private let timeout: Duration
    private var answered = 0

    let isOver = false

    init(
        connectingTo address: SocketAddress, line: String, greeting: Bool, timeout: Duration
    ) throws(ClientFailure) {
        self.line = line
        self.timeout = timeout
        stream = try ClientStream(connectingTo: address, timeout: timeout)
        if greeting { _ = try stream.readLine() }
    }

    func exchange() throws(ClientFailure) {
        stream.begin(timeout: timeout)
        do throws(ClientFailure) {
            guard !stream.hasUnread else {
                throw ClientFailure(.wrongAnswer, "more came than was sent")
            }
            try stream.send(Array((line + "\n").utf8))
            guard try stream.fill() else {
                throw ClientFailure(.truncated, "end-of-file before the answer")
            }
        } catch {
            throw error.onConnection(used: answered)
        }
        let answer = try stream.readLine()
        guard answer == line else { throw ClientFailure(.wrongAnswer, "'\(answer)' came back") }
        answered += 1
    }
}

extension ClientFailure {
    /// The same failure, told as what it is on a connection that has carried answers before.
    func onConnection(used answered: Int) -> ClientFailure {
        guard answered > 0, kind == .truncated || kind == .reset else { return self }
        return ClientFailure(.keepAliveClosed, message)
    }
}
