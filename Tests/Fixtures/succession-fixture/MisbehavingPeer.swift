// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

/// A successor that speaks the protocol by hand, and wrongly.
struct MisbehavingPeer {
    let fault: String

    init(_ fault: String) {
        self.fault = fault
    }

    func run() throws {
        guard let number = ProcessEnvironment.value("SUCCESSION_CHANNEL").flatMap({ CInt($0) })
        else {
            throw UsageError("no channel")
        }
        let channel = OwnedDescriptor(taking: number)
        try Syscall.setNonBlocking(number, false)
        let socket = MessageSocket(channel)
        switch fault {
        case "newer-major":
            try send("SUCCESSION/2 hello\nPID=1\n", over: number)
        case "garbage":
            try AncillaryMessage.send(
                (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) }, descriptors: [], over: number
            )
        case "unknown-kind":
            try send("SUCCESSION/1 salute\n", over: number)
            let reply = try next(socket)
            _ = try Wire.Refused(reply)
            return
        case "wrong-ack":
            try hello(socket)
            _ = try next(socket)
            try send("SUCCESSION/1 taken\nBATCH=1\nTAKEN=77\n", over: number)
        case "ready-too-early":
            try hello(socket)
            try send("SUCCESSION/1 ready\n", over: number)
        case "descriptors":
            // Descriptors nobody asked for.
            try AncillaryMessage.send(
                Array("SUCCESSION/1 hello\nFDS=2\nFEATURES=\n".utf8), descriptors: [0, 1],
                over: number)
        default:
            throw UsageError("peer \(fault)?")
        }
        // Until the predecessor has had enough.
        while let packet = try socket.receive() { _ = packet }
    }

    private func hello(_ socket: MessageSocket) throws {
        try socket.send(
            Wire.Hello(
                processID: ProcessEnvironment.processID, features: [.state, .memoryFile]))
    }

    private func next(_ socket: MessageSocket) throws -> Message {
        guard let packet = try socket.receive() else { throw UsageError("end of file") }
        return packet.message
    }

    private func send(_ text: String, over number: CInt) throws {
        try AncillaryMessage.send(Array(text.utf8), descriptors: [], over: number)
    }
}
