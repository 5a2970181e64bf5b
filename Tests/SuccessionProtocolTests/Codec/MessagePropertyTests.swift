// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct MessagePropertyTests {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func decode_whenEncodedFromAnything_isTheSame(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1_000 {
            let (message, texts, lists) = Self.randomMessage(&generator)
            let decoded = try Message.decode(message.encoded())
            #expect(decoded == message)
            #expect(decoded.fields.filter { $0.key == "T" }.map(\.text) == texts)
            #expect(decoded.fields.filter { $0.key == "L" }.map(\.list) == lists)
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func decode_whenRandomBytes_neverTraps(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let packet = (0..<Int.random(in: 0...80, using: &generator))
                .map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? Message.decode(packet)
            Self.read([UInt8]("SUCCESSION/1 offer\n".utf8) + packet)
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func decode_whenMutated_isAMessageThatEncodesAsItCame(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            var packet = Self.randomMessage(&generator).message.encoded()
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<packet.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: packet[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: packet.insert(UInt8.random(in: 0...127, using: &generator), at: position)
                default: if packet.count > 1 { packet.remove(at: position) }
                }
            }
            Self.read(packet)
            guard let message = try? Message.decode(packet) else { continue }
            let again = try Message.decode(message.encoded())
            #expect(again == message)
        }
    }

    /// Reads a packet as every part of the program would.
    private static func read(_ packet: [UInt8]) {
        guard let message = try? Message.decode(packet) else { return }
        _ = ChannelMessage(message)
        _ = ControlRequest.Arrival(message)
        _ = ControlAnswer.Arrival(message)
        _ = try? Wire.Abort(message)
        for field in message.fields {
            _ = field.text.flatMap { WireNumber.parse($0) }
            _ = ManifestEntry(fields: field.list)
        }
    }

    private static func randomMessage(
        _ generator: inout SeededGenerator
    ) -> (message: Message, texts: [String], lists: [[String]]) {
        let kinds: [Message.Kind] = [.hello, .offer, .state, .taken, .abort, .status]
        var message = Message(kinds.randomElement(using: &generator) ?? .hello)
        var texts: [String] = []
        var lists: [[String]] = []
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            if Bool.random(using: &generator) {
                texts.append(randomText(&generator))
                message.fields.append(.init(key: "T", text: texts.last ?? ""))
            } else {
                // Two at least: a list of one empty field reads as an empty list.
                lists.append(
                    (0..<Int.random(in: 2...4, using: &generator)).map { _ in
                        randomText(&generator)
                    })
                message.fields.append(.init(key: "L", list: lists.last ?? []))
            }
        }
        if Bool.random(using: &generator) {
            message.body = (0..<20).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        return (message, texts, lists)
    }

    private static func randomText(_ generator: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x7F, 0x20...0x7E, 0x80...0xD7FF, 0x1F300...0x1F5FF,
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            let range = ranges.randomElement(using: &generator) ?? 0...0x7F
            let value = UInt32.random(in: range, using: &generator)
            if let scalar = Unicode.Scalar(value) { text.append(scalar) }
        }
        return String(text)
    }
}
