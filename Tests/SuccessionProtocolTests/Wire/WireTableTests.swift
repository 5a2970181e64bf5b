// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import Testing

/// The table of kinds, and what else depends on the kinds.
@Suite struct WireTableTests {
    @Test func protocolPage_hasTheSameRowsInTheSameOrder() throws {
        let lines = try Self.file("docs/protocol.md").split(
            separator: "\n", omittingEmptySubsequences: false)
        let header = "| kind | on a channel, from | on a control socket, from | descriptors |"
        let start = try #require(lines.firstIndex { $0 == header })
        let rows = lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map(String.init)
        #expect(rows == Message.Kind.allCases.map(Self.row))
    }

    @Test func pythonPeers_haveTheSameRows() throws {
        let lines = try Self.file("Tests/Peers/wire.py").split(separator: "\n")
        let start = try #require(lines.firstIndex { $0 == "KINDS = {" })
        let rows = lines[(start + 1)...].prefix { $0 != "}" }.map(String.init)
        #expect(
            rows
                == Message.Kind.allCases.map { kind in
                    let row = kind.row
                    return "    \"\(kind.rawValue)\": (\"\(Self.list(row.onChannel))\", "
                        + "\"\(Self.list(row.onControlSocket))\"),"
                })
    }

    @Test(arguments: Message.Kind.allCases)
    func protocolPage_namesEveryKey(of kind: Message.Kind) throws {
        let page = try Self.file("docs/protocol.md")
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
            #expect(message.kind == kind)
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
            if case .misplaced = ControlRequest.Arrival(message) {
                #expect(!kind.row.onControlSocket.contains(.operator))
            } else {
                #expect(kind.row.onControlSocket.contains(.operator))
            }
            if case .answer(.misplaced) = ControlAnswer.Arrival(message) {
                #expect(!kind.row.onControlSocket.contains(.generation))
            } else {
                #expect(kind.row.onControlSocket.contains(.generation))
            }
        }
    }

    @Test func readers_whenKindIsOfALaterVersion_nameIt() throws {
        let message = try Message.decode([UInt8]("SUCCESSION/1 bake-off\n".utf8))
        #expect(message.kind == nil)
        #expect(ChannelMessage(message) == .unknown("bake-off"))
        #expect(ControlRequest.Arrival(message) == .unknown("bake-off"))
        #expect(ControlAnswer.Arrival(message) == .unknown("bake-off"))
    }

    private static func row(_ kind: Message.Kind) -> String {
        let row = kind.row
        let descriptors =
            row.descriptors.upperBound == 0 ? "" : "at most \(row.descriptors.upperBound)"
        let cells = [
            "`\(kind.rawValue)`", list(row.onChannel), list(row.onControlSocket), descriptors,
        ]
        return "|" + cells.map { $0.isEmpty ? " |" : " \($0) |" }.joined()
    }

    private static func list(_ sides: [some RawRepresentable<String>]) -> String {
        sides.map(\.rawValue).joined(separator: ", ")
    }

    private static func file(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
