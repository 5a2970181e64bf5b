// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct ChannelMessageTests {
    @Test(
        arguments: [
            ("hello\nPID=1\nFEATURES=state memfd\n", .hello(features: ["state", "memfd"])),
            ("hello\n", .hello(features: [])), ("hello\nFEATURES=\n", .hello(features: [])),
            (
                "offer\nGENERATION=2\nPID=9\nBATCH=2/3\nTOTAL=7\nSTATE=1\nFDS=2\n",
                .offer(batch: 2, of: 3, descriptors: 2, total: 7, hasState: true)
            ),
            (
                "offer\nGENERATION=2\nPID=9\nBATCH=1/1\nTOTAL=0\nSTATE=0\n",
                .offer(batch: 1, of: 1, descriptors: 0, total: 0, hasState: false)
            ),
            ("state\nSIZE=5\n\nhello", .state(size: 5)),
            ("taken\nBATCH=1\nTAKEN=2\n", .taken(batch: 1, descriptors: 2)),
            ("taken\nSTATE=5\n", .takenState(size: 5)),
            ("ready\n", .ready), ("committed\n", .committed), ("accepting\nNEW=1\n", .accepting),
            ("draining\nCONNECTIONS=1\n", .draining), ("drained\n", .drained),
            (
                "abort\nCODE=state\nREASON=no %25\n",
                .abort(Failure(code: .state, reason: "no %"))
            ),
            (
                "refused\nCODE=of-tomorrow\nREASON=x\n",
                .refused(Failure(code: FailureCode(rawValue: "of-tomorrow"), reason: "x"))
            ),
            ("abort\n", .abort(Failure(code: .application, reason: "no reason was given"))),
            ("status\n", .misplaced(.status)), ("aborted\n", .misplaced(.aborted)),
            ("bake\n", .unknown("bake")),
        ] as [(String, ChannelMessage)])
    func init_whenMessageIsWhole_readsIt(text: String, expected: ChannelMessage) throws {
        let message = try Message.decode([UInt8]("SUCCESSION/1 \(text)".utf8))
        #expect(ChannelMessage(message) == expected)
    }

    @Test(arguments: [
        "offer\n", "offer\nGENERATION=2\nPID=9\nBATCH=1/1\nSTATE=0\n",
        "offer\nGENERATION=2\nPID=9\nBATCH=1/1\nTOTAL=1\n",
        "offer\nGENERATION=2\nPID=9\nBATCH=1/1\nTOTAL=1\nSTATE=2\n",
        "offer\nGENERATION=2\nPID=9\nBATCH=0/1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=2\nPID=9\nBATCH=2/1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=2\nPID=9\nBATCH=1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=2\nPID=9\nBATCH=1/1/1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=2\nPID=9\nBATCH=1/1\nTOTAL=-1\nSTATE=0\n",
        "offer\nPID=9\nBATCH=1/1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=0\nPID=9\nBATCH=1/1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=9223372036854775807\nPID=9\nBATCH=1/1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=2\nBATCH=1/1\nTOTAL=1\nSTATE=0\n",
        "offer\nGENERATION=2\nPID=-9\nBATCH=1/1\nTOTAL=1\nSTATE=0\n",
        "state\n", "state\nSIZE=-1\n", "taken\n", "taken\nBATCH=1\n", "taken\nSTATE=x\n",
    ])
    func init_whenKeyIsMissingOrWrong_isMalformed(_ text: String) throws {
        let message = try Message.decode([UInt8]("SUCCESSION/1 \(text)".utf8))
        guard case .malformed = ChannelMessage(message) else {
            Issue.record("\(ChannelMessage(message))")
            return
        }
    }

    @Test func failure_whenSentAndRead_isTheSame() throws {
        let failure = Failure(code: .operator, reason: "cancelled\nby hand")
        let message = try Message.decode(Wire.Abort(failure).message.encoded())
        #expect(message.kind == .abort)
        #expect(try Wire.Abort(message).failure == failure)
    }

    @Test(arguments: ["\n", "\u{301}", "🜂"])
    func failure_whenReasonIsEndless_fitsInAPacket(_ character: String) {
        let failure = Failure(code: .state, reason: String(repeating: character, count: 100_000))
        #expect(Wire.Abort(failure).message.encoded().count < Message.maximumPacketSize)
    }
}
