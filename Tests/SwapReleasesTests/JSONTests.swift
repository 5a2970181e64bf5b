// SPDX-License-Identifier: Apache-2.0

import Glibc
import SwapReleases
import Testing

@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSONNode { try JSONParser.parse(Array(text.utf8)) }

    @Test func parse_whenValid_keepsValuesAndTheirOrder() throws {
        let node = try parse(
            #" {"b": [1, -2.5e+3, true, false, null], "a": {"é\n\u00e9\ud83d\ude00\/": ""}} "#)
        #expect(node.members?.map(\.key) == ["b", "a"])
        let elements = try #require(node["b"]?.elements)
        #expect(
            elements.map(\.kind) == [
                "a number", "a number", "true or false", "true or false", "null",
            ])
        #expect(elements[0].integer == 1)
        #expect(node["a"]?.members?.first?.key == "é\né😀/")
        #expect(node["a"]?.members?.first?.node.string == "")
    }

    @Test(arguments: [
        ("", "1:1", "empty"),
        ("{\n  \"a\": 1,\n}", "3:1", "after the comma"),
        ("{\"a\": 1", "1:8", "a comma or }"),
        ("{\"a\" 1}", "1:6", "a colon"),
        ("{\n\"é\": tru}", "2:6", "a value should begin"),
        ("{\"a\": \"x\n\"}", "1:7", "control character"),
        ("{\"a\": \"x", "1:7", "has no end"),
        ("{\"a\":1,\"a\":2}", "1:8", "duplicate"),
        ("{} {}", "1:4", "more text"),
        ("[1, 2", "1:6", "a comma or ]"),
        ("[01]", "1:3", "a comma or ]"),
        ("[1.]", "1:4", "a digit"),
        ("[\"\\x\"]", "1:3", "escape"),
        ("[\"\\ud800\"]", "1:3", "surrogate"),
        ("[\"\\u00g0\"]", "1:5", "hexadecimal"),
        ("{a: 1}", "1:2", "a key in quotation marks"),
    ])
    func parse_whenInvalid_saysWhereAndWhy(text: String, place: String, reason: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try parse(text) }
        #expect(error?.place.description == place)
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func parse_whenNotUTF8_isAnError() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
    }

    @Test func parse_whenNestedWithoutEnd_isAnErrorAndNoCrash() {
        let error = #expect(throws: JSONSyntaxError.self) {
            try parse(String(repeating: "[", count: 100_000))
        }
        #expect(error?.reason.contains("too deeply") == true)
    }

    /// Every proper prefix of a valid text is refused: a half-written file is never accepted.
    @Test func parse_whenCutShort_isNeverValid() throws {
        let text = Array(#"{"bin.file": "/srv/app/release/app.1", "x": [1, {"y": null}]}"#.utf8)
        _ = try JSONParser.parse(text)
        for count in 0..<text.count {
            #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text[..<count])) }
        }
    }

    /// Eight times as many keys take eight times as long, not sixty-four times, as when each key
    /// was compared with all before it.
    ///
    /// Measured in processor time of this thread, so that other load does not matter.
    @Test func parse_whenObjectHasManyKeys_isLinear() throws {
        func seconds(_ count: Int) throws -> Double {
            let keys = (0..<count).map { "\"k\($0)\":\($0 % 10)" }
            let text = Array("{\(keys.joined(separator: ","))}".utf8)
            var (begin, end) = (timespec(), timespec())
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin)
            let node = try JSONParser.parse(text)
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
            #expect(node.members?.count == count)
            #expect(node["k\(count - 1)"]?.integer == (count - 1) % 10)
            return Double(end.tv_sec - begin.tv_sec) + Double(end.tv_nsec - begin.tv_nsec) / 1e9
        }
        _ = try seconds(1_000)
        #expect(try seconds(16_000) < 24 * seconds(2_000))
    }

    @Test func parse_whenAKeyIsThereTwiceAmongMany_saysWhere() {
        let keys = (0..<1_000).map { "\"k\($0)\":1" } + ["\"k7\":2"]
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONParser.parse(Array("{\n\(keys.joined(separator: ",\n"))}".utf8))
        }
        #expect(error?.reason == "the key \"k7\" is a duplicate")
        #expect(error?.place == JSONPlace(line: 1_002, column: 1))
    }
}
