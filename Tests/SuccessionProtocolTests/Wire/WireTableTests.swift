// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import Testing

/// The table of kinds, and what else depends on the kinds.
@Suite struct WireTableTests {
    @Test func protocolPage_hasTheSameRowsInTheSameOrder() throws {
        let lines = try Self.protocolPage().split(
            separator: "\n", omittingEmptySubsequences: false)
        let header = "| kind | on a channel, from | on a control socket, from | descriptors |"
        let start = try #require(lines.firstIndex { $0 == header })
        let rows = lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map(String.init)
        #expect(rows == Message.Kind.allCases.map(Self.row))
    }

    @Test(arguments: Message.Kind.allCases)
    func protocolPage_namesEveryKey(of kind: Message.Kind) throws {
        let page = try Self.protocolPage()
        var generator = SeededGenerator(seed: 1)
        for message in WireSamples.full(kind, &generator).map({ $0.message }) {
            for field in message.fields {
                #expect(
                    page.contains("`\(field.key)=") || page.contains("`\(field.key)`"),
                    "\(kind.rawValue): \(field.key)")
            }
        }
    }

    @Test(arguments: Message.Kind.allCases)
    func samples_areOfTheKindAndCarryWhatItMayCarry(_ kind: Message.Kind) {
        var generator = SeededGenerator(seed: 1)
        let messages = WireSamples.full(kind, &generator).map { $0.message }
        #expect(!messages.isEmpty)
        for message in messages {
            #expect(message.knownKind == kind)
            let descriptors = message.number(.descriptors) ?? 0
            #expect(kind.row.descriptors.contains(descriptors))
        }
    }

    @Test(arguments: Message.Kind.allCases)
    func readers_takeWhatTheTableSays(_ kind: Message.Kind) {
        var generator = SeededGenerator(seed: 1)
        for sample in WireSamples.full(kind, &generator) {
            let message = sample.message
            // What it says is for the driver, and not for the machine.
            let isForMachine = !kind.row.onChannel.isEmpty && kind != .trouble
            if case .misplaced = ChannelMessage(message) {
                #expect(!isForMachine)
            } else {
                #expect(isForMachine)
            }
            if case .misplaced = ControlRequest(message) {
                #expect(!kind.row.onControlSocket.contains(.operator))
            } else {
                #expect(kind.row.onControlSocket.contains(.operator))
            }
            if case .misplaced = ControlAnswer(message) {
                #expect(!kind.row.onControlSocket.contains(.generation))
            } else {
                #expect(kind.row.onControlSocket.contains(.generation))
            }
        }
    }

    @Test func readers_whenKindIsOfALaterVersion_nameIt() throws {
        let message = try Message.decode([UInt8]("SUCCESSION/1 bake-off\n".utf8))
        #expect(message.knownKind == nil)
        #expect(ChannelMessage(message) == .unknown("bake-off"))
        #expect(ControlRequest(message) == .unknown("bake-off"))
        #expect(ControlAnswer(message) == .unknown("bake-off"))
    }

    private static func row(_ kind: Message.Kind) -> String {
        let row = kind.row
        let descriptors =
            row.descriptors.upperBound == 0 ? "" : "at most \(row.descriptors.upperBound)"
        let cells = [
            "`\(kind.rawValue)`", row.onChannel.map(\.rawValue).joined(separator: ", "),
            row.onControlSocket.map(\.rawValue).joined(separator: ", "), descriptors,
        ]
        return "|" + cells.map { $0.isEmpty ? " |" : " \($0) |" }.joined()
    }

    private static func protocolPage() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../..")
        return try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
    }
}
