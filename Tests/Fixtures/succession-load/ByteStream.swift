// SPDX-License-Identifier: Apache-2.0

/// A buffered reader over a stream socket that never reads past what it is asked for silently:
/// whatever is left over can be seen in `hasUnread`.
final class ByteStream {
    private static let longestLine = 16_384

    private let socket: Socket
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var start = 0
    private var end = 0

    init(connectingTo target: Target, timeout: Int64) throws(Failure) {
        socket = try Socket(connectingTo: target, timeout: timeout)
    }

    /// True while bytes have arrived that nobody has consumed.
    var hasUnread: Bool { start < end }

    func send(_ bytes: [UInt8]) throws(Failure) {
        try socket.send(bytes)
    }

    /// Waits until at least one byte can be consumed; false at end-of-file.
    func fill(deadline: MonotonicTime) throws(Failure) -> Bool {
        if hasUnread { return true }
        start = 0
        end = try socket.receive(into: &buffer, deadline: deadline)
        return end > 0
    }

    /// Consumes one line and returns it without its LF; end-of-file before the LF is a failure.
    func readLine(deadline: MonotonicTime) throws(Failure) -> [UInt8] {
        var line: [UInt8] = []
        while line.count <= Self.longestLine {
            guard try fill(deadline: deadline) else {
                throw Failure(.truncated, "end-of-file inside a line, after \(line.count) bytes")
            }
            if let feed = buffer[start..<end].firstIndex(of: UInt8(ascii: "\n")) {
                line += buffer[start..<feed]
                start = feed + 1
                return line
            }
            line += buffer[start..<end]
            start = end
        }
        throw Failure(.wrong, "a line longer than \(Self.longestLine) bytes")
    }

    /// Consumes exactly `count` bytes; end-of-file before that is a failure.
    func skip(_ count: Int, deadline: MonotonicTime) throws(Failure) {
        var missing = count
        while missing > 0 {
            guard try fill(deadline: deadline) else {
                throw Failure(.truncated, "end-of-file \(missing) bytes before the end of a body")
            }
            let step = min(missing, end - start)
            start += step
            missing -= step
        }
    }
}
