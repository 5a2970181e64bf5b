// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// A socket such as a service manager has for its services, and the store behind it.
final class NotifySocket {
    let path: String
    private let socket: OwnedDescriptor
    /// What is kept, in the order in which it came.
    private(set) var stored: [(name: String, descriptor: OwnedDescriptor)] = []

    init(in directory: String) throws {
        path = directory + "/notify"
        socket = try Syscall.openSocket(family: .unix, type: .datagram, nonBlocking: false)
        try Syscall.bind(socket.rawValue, to: .unixPath(path))
    }

    /// Reads until a message has this line, and returns all lines of it.
    func message(with line: String, within seconds: Double = 20) throws -> [String] {
        let deadline = Syscall.monotonicNanoseconds() + UInt64(seconds * 1e9)
        var heard: [String] = []
        while true {
            let now = Syscall.monotonicNanoseconds()
            let left = deadline > now ? (deadline - now) / 1_000_000 : 0
            guard
                try Syscall.poll(
                    socket.rawValue, events: Syscall.pollIn, timeoutMilliseconds: CInt(left)),
                let received = try AncillaryMessage.receive(from: socket.rawValue)
            else {
                throw ChildProcess.TimedOut(description: "no '\(line)' among \(heard)")
            }
            let text = String(decoding: received.bytes, as: UTF8.self)
            let lines = text.split(separator: "\n").map(String.init)
            keep(lines, received.descriptors)
            if lines.contains(line) { return lines }
            heard += lines
        }
    }

    private func keep(_ lines: [String], _ descriptors: ReceivedDescriptors) {
        guard let line = lines.first(where: { $0.hasPrefix("FDNAME=") }) else { return }
        let name = String(line.dropFirst("FDNAME=".count))
        if lines.contains("FDSTOREREMOVE=1") { stored.removeAll { $0.name == name } }
        if lines.contains("FDSTORE=1") { stored += descriptors.map { (name, $0) } }
    }
}
