// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct WireNumberTests {
    /// 10⁴⁰, 2⁶³ and what looks like a number elsewhere.
    static let noNumbers = [
        "", "-", "-0", "-1", "+0", "+1", " 1", "1 ", "1_000", "0x10", "1e3", "1.0", "٣", "１",
        "9223372036854775808", "-9223372036854775808", "18446744073709551616",
        "1" + String(repeating: "0", count: 40), "NaN", "%31",
    ]

    @Test(arguments: noNumbers)
    func parse_whenNoNumberOf63Bits_isNil(_ text: String) {
        #expect(WireNumber.parse(text) == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("007", 7), ("42", 42), ("9223372036854775807", Int.max),
            (String(repeating: "0", count: 200) + "5", 5),
        ] as [(String, Int)])
    func parse_whenDigits_isTheNumber(text: String, expected: Int) {
        #expect(WireNumber.parse(text) == expected)
    }

    @Test(arguments: NumericKey.all)
    func number_whenOutsideOfItsRange_isNil(_ key: NumericKey) throws {
        let range = key.range
        for text in Self.noNumbers where text != "%31" {
            #expect(try read(key, text) == nil, "\(key.name)=\(text)")
        }
        #expect(try read(key, "\(range.lowerBound)") == range.lowerBound)
        #expect(try read(key, "\(range.upperBound)") == range.upperBound)
        if range.lowerBound > 0 { #expect(try read(key, "\(range.lowerBound - 1)") == nil) }
        #expect(try read(key, "\(range.upperBound + 1)") == nil)
    }

    /// What is written is what the other side can read, whatever was to be written.
    @Test(arguments: NumericKey.all)
    func add_whateverNumber_isInRange(_ key: NumericKey) {
        for value in [Int.min, -1, 0, 1, Int.max] {
            var message = Message(.status)
            message.add(key, value)
            #expect(message.number(key).map { key.range.contains($0) } == true)
        }
    }

    @Test func durations_whenLongest_fitIn63BitsOfNanoseconds() {
        for key in NumericKey.all {
            if key.name.hasSuffix("_MS") { #expect(key.range.upperBound <= Int.max / 1_000_000) }
            if key.name.hasSuffix("_US") { #expect(key.range.upperBound <= Int.max / 1_000) }
        }
    }

    @Test(arguments: [
        "upgrade\nTIMEOUT_MS=-1\n", "upgrade\nDRAIN_MS=x\n",
        "upgrade\nDRAIN_MS=9223372036854775807\n",
        "drain\nDEADLINE_MS=+1\n", "reload\nTIMEOUT_MS=\n",
    ])
    func request_withABadNumber_namesItsKey(_ text: String) throws {
        let message = try Message.decode([UInt8]("SUCCESSION/1 \(text)".utf8))
        guard case .malformed(let error) = ControlRequest.Arrival(message) else {
            Issue.record("\(message)")
            return
        }
        #expect(text.contains("\(try #require(error.key))="))
    }

    @Test(arguments: ["upgrade\n", "drain\nDEADLINE_MS=0\n", "status\nTIMEOUT_MS=x\n"])
    func request_whenNumbersAreGoodOrNobodys_isOne(_ text: String) throws {
        let message = try Message.decode([UInt8]("SUCCESSION/1 \(text)".utf8))
        guard case .request = ControlRequest.Arrival(message) else {
            Issue.record("\(message)")
            return
        }
    }

    private func read(_ key: NumericKey, _ text: String) throws -> Int? {
        try Message.decode([UInt8]("SUCCESSION/1 status\n\(key.name)=\(text)\n".utf8)).number(key)
    }
}
