// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Gives every request the same answer, right or wrong.
final class CannedServer: Sendable {
    let address: SocketAddress
    private let listener: OwnedDescriptor

    /// - Parameters:
    ///   - ending: How a request ends.
    ///   - answers: How many answers a connection gets before it is closed; nil: any number.
    init(ending: String, answer: String, answers: Int? = nil) throws {
        let listener = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: false)
        try Syscall.bind(listener.rawValue, to: .ipv4(0x7F00_0001, port: 0))
        try Syscall.listen(listener.rawValue, backlog: 16)
        address = try Syscall.localAddress(listener.rawValue)
        self.listener = listener
        try startThread(name: "canned") {
            while let (connection, _) = try? Syscall.accept(listener.rawValue) {
                Self.serve(connection, Array(ending.utf8), Array(answer.utf8), answers)
            }
        }
    }

    // Ends the accept under way; nobody else holds this listener.
    deinit { Syscall.shutdown(listener.rawValue) }

    private static func serve(
        _ connection: OwnedDescriptor, _ ending: [UInt8], _ answer: [UInt8], _ answers: Int?
    ) {
        var left = answers ?? .max
        var request: [UInt8] = []
        let raw = connection.rawValue
        while left > 0,
            (try? Syscall.poll(raw, events: Syscall.pollIn, timeoutMilliseconds: 10_000)) == true,
            let bytes = try? Syscall.read(raw, count: 4_096), !bytes.isEmpty
        {
            request += bytes
            guard request.suffix(ending.count) == ending[...] else { continue }
            request = []
            left -= 1
            guard (try? Syscall.send(raw, answer)) == answer.count else { return }
        }
    }
}
