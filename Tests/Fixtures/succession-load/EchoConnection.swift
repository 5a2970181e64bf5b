// SPDX-License-Identifier: Apache-2.0

/// A connection to the line echo, which greets with `gen=<pid>`.
final class EchoConnection {
    let generation: Int32
    let opened = MonotonicTime.now
    private let stream: ByteStream
    private let timeout: Int64
    private var sent = 0

    /// Connects and reads the greeting.
    init(connectingTo target: Target, timeout: Int64) throws(Failure) {
        stream = try ByteStream(connectingTo: target, timeout: timeout)
        self.timeout = timeout
        let greeting = String(
            decoding: try stream.readLine(deadline: .now + timeout), as: UTF8.self)
        guard greeting.hasPrefix("gen="), let pid = Int32(greeting.dropFirst(4)), pid > 0 else {
            throw Failure(.wrong, "greeting \"\(greeting)\"")
        }
        generation = pid
    }

    /// Sends a line that was never sent before and reads it back.
    func exchange() throws(Failure) {
        sent += 1
        let line = Array("line \(sent) of \(opened.nanoseconds) to \(generation)".utf8)
        try stream.send(line + [UInt8(ascii: "\n")])
        let answer = try stream.readLine(deadline: .now + timeout)
        guard answer == line else {
            throw Failure(.wrong, "\"\(String(decoding: answer, as: UTF8.self))\" came back")
        }
        guard !stream.hasUnread else { throw Failure(.wrong, "more came back than was sent") }
    }
}
