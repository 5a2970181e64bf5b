// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage
import Testing

/// A socket such as a service manager has for its services.
final class FakeManager {
    struct Message {
        let lines: [String]
        let descriptors: ReceivedDescriptors
    }

    let path: String
    private let socket: OwnedDescriptor

    init() throws {
        path = "/tmp/succession-notify-\(UInt32.random(in: 0 ... .max))"
        socket = try Syscall.openSocket(family: .unix, type: .datagram, nonBlocking: false)
        try Syscall.bind(socket.rawValue, to: .unixPath(path))
    }

    /// Binds anew where another one was, whose socket is closed.
    init(inPlaceOf other: FakeManager) throws {
        path = other.path
        other.socket.close()
        try Syscall.unlink(path)
        socket = try Syscall.openSocket(family: .unix, type: .datagram, nonBlocking: false)
        try Syscall.bind(socket.rawValue, to: .unixPath(path))
    }

    deinit { try? Syscall.unlink(path) }

    /// The next message; a barrier's has the line `BARRIER=1` and the pipe it waits for.
    func receive(within milliseconds: CInt = 5_000) throws -> Message {
        let isThere = try Syscall.poll(
            socket.rawValue, events: Syscall.pollIn, timeoutMilliseconds: milliseconds)
        try #require(isThere, "nothing was said within \(milliseconds) ms")
        let received = try #require(try AncillaryMessage.receive(from: socket.rawValue))
        let text = String(decoding: received.bytes, as: UTF8.self)
        return Message(
            lines: text.split(separator: "\n").map(String.init),
            descriptors: received.descriptors)
    }

    func isSilent(for milliseconds: CInt = 0) throws -> Bool {
        try !Syscall.poll(
            socket.rawValue, events: Syscall.pollIn, timeoutMilliseconds: milliseconds)
    }
}
