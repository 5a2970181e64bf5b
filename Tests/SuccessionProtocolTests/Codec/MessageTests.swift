// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct MessageTests {
    @Test func encoded_isWhatTheProtocolSays() {
        var message = Message(.taken)
        message.fields = [.init(key: "BATCH", text: "1"), .init(key: "TAKEN", text: "2")]
        #expect(message.encoded() == [UInt8]("SUCCESSION/1 taken\nBATCH=1\nTAKEN=2\n".utf8))
        message.body = [0, 10, 255]
        #expect(message.encoded().suffix(5) == [10, 10, 0, 10, 255])
    }

    @Test func decode_whenKindAlone_hasNoFields() throws {
        let message = try decode("SUCCESSION/1 ready\n")
        #expect(message == Message(.ready))
    }

    @Test func decode_whenEmptyLineWithoutBody_hasNoBody() throws {
        #expect(try decode("SUCCESSION/1 ready\nA=1\n\n").body.isEmpty)
    }

    @Test func decode_whenBodyLooksLikeFields_isBody() throws {
        let message = try decode("SUCCESSION/1 state\nSIZE=4\n\nA=1\n")
        #expect(message.fields.count == 1)
        #expect(message.body == [UInt8]("A=1\n".utf8))
    }

    @Test func fields_whenKeyRepeats_keepTheirOrder() throws {
        let message = try decode("SUCCESSION/1 hello\nA=1\nB=x\nA=2\n")
        #expect(message.values("A").map(\.text) == ["1", "2"])
        #expect(message.values("C").isEmpty)
    }

    @Test func text_whenValueHoldsEqualsSign_keepsIt() throws {
        #expect(try decode("SUCCESSION/1 upgrade\nENV=A=B\n").values("ENV").first?.text == "A=B")
    }

    @Test func add_whenValueHoldsControlsAndPercent_escapesThem() throws {
        var message = Message(.abort)
        message.fields = [.init(key: "REASON", text: "100 %\nA=1\u{7F}\0é")]
        #expect(message.fields.map(\.rawValue) == ["100 %25%0AA=1%7F%00é"])
        #expect(try Message.decode(message.encoded()) == message)
        #expect(message.fields.first?.text == "100 %\nA=1\u{7F}\0é")
    }

    @Test func fieldLists_whenFieldHoldsSpace_splitsFirst() throws {
        var message = Message(.offer)
        message.fields = [
            .init(key: "FD", list: ["unix:/a b%20", "bound", "", "x"]),
            .init(key: "FD", list: []),
        ]
        #expect(message.fields.map(\.rawValue) == ["unix:/a%20b%2520 bound  x", ""])
        #expect(message.fields.map(\.list) == [["unix:/a b%20", "bound", "", "x"], []])
    }

    @Test func fieldLists_whenFieldBeginsWithCombiningCharacter_splitsBeforeIt() throws {
        let message = try decode("SUCCESSION/1 offer\nFD=a \u{301}b\n")
        #expect(message.values("FD").map(\.list) == [["a", "\u{301}b"]])
    }

    @Test func decode_whenDigitsOfEscapeAreLowerCase_decodes() throws {
        #expect(
            try decode("SUCCESSION/1 abort\nREASON=%0a%2f\n").values("REASON").first?.text == "\n/")
    }

    @Test(
        arguments: [
            ("42", 42), ("0", 0), ("-7", nil), ("007", 7), ("+7", nil), ("", nil), ("-", nil),
            (" 7", nil), ("7 ", nil), ("0x7", nil), ("99999999999999999999", nil), ("٣", nil),
        ] as [(String, Int?)])
    func integer_whenAnyText_isDecimalOrNil(text: String, expected: Int?) {
        let field = Message.Field(key: "N", text: text)
        #expect(field.text.flatMap { WireNumber.parse($0) } == expected)
    }

    @Test(arguments: [
        "", "\n", "SUCCESSION", "SUCCESSION/\n", "SUCCESSION/ ready\n", "SUCCESSION/1\n",
        "SUCCESSION/1 \n", "SUCCESSION/1 Ready\n", "SUCCESSION/1 ready \n", "SUCCESSION/x ready\n",
        "SUCCESSION/-1 ready\n", "SUCCESSION/01 ready\n", "succession/1 ready\n",
        "SUCCESSION/99999999999999999999 ready\n", "SUCCESSION/1 ready", "SUCCESSION/1 ready\nA=1",
        "SUCCESSION/1 ready\nA\n", "SUCCESSION/1 ready\n=1\n", "SUCCESSION/1 ready\na=1\n",
        "SUCCESSION/1 ready\n1A=1\n", "SUCCESSION/1 ready\nA B=1\n", "SUCCESSION/1 ready\nA=%\n",
        "SUCCESSION/1 ready\nA=%0\n", "SUCCESSION/1 ready\nA=%GG\n", "SUCCESSION/1 ready\nA=\t\n",
        "SUCCESSION/1 ready\nA=%FF\n", "SUCCESSION/1 ready\r\nA=1\r\n",
    ])
    func decode_whenNotAMessage_saysMalformed(_ text: String) {
        let error = #expect(throws: MessageError.self) { try decode(text) }
        guard case .malformed = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func decode_whenValueIsNotUTF8_saysMalformed() {
        let packet = [UInt8]("SUCCESSION/1 ready\nA=".utf8) + [0xFF, 0x0A]
        #expect(throws: MessageError.self) { try Message.decode(packet) }
    }

    @Test func decode_whenPacketIsTooLong_saysMalformed() {
        let longest = [UInt8]("SUCCESSION/1 ready\n\n".utf8)
        let body = [UInt8](repeating: 1, count: Message.maximumPacketSize - longest.count)
        #expect(throws: Never.self) { try Message.decode(longest + body) }
        #expect(throws: MessageError.self) { try Message.decode(longest + body + [1]) }
    }

    @Test func decode_whenKeyIsHuge_survives() throws {
        let key = String(repeating: "K", count: 60_000)
        #expect(try decode("SUCCESSION/1 ready\n\(key)=v\n").values(key).first?.text == "v")
    }

    @Test(arguments: [
        "SUCCESSION/2 ready\n", "SUCCESSION/2", "SUCCESSION/2 {\"kind\":1}", "SUCCESSION/2\n\u{1}",
    ])
    func decode_whenAnotherMajor_saysSoWhateverFollows(_ text: String) {
        #expect(throws: MessageError.unsupportedVersion(2)) { try decode(text) }
    }

    @Test func decode_whenKindIsUnknown_keepsIt() throws {
        let message = try decode("SUCCESSION/1 bake-off\n")
        #expect(message.kindName == "bake-off")
        #expect(message.kind == nil)
        #expect(Message(.result).kind == .result)
    }

    private func decode(_ text: String) throws(MessageError) -> Message {
        try Message.decode([UInt8](text.utf8))
    }
}

extension Message {
    fileprivate func values(_ key: String) -> [Field] { fields.filter { $0.key == key } }
}
