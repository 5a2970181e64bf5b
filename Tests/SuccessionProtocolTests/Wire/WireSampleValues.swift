// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension WireSamples {
    /// Random values as the keys of messages may have them.
    struct Values {
        var generator: SeededGenerator
        /// Nothing that may be absent is.
        let isFull: Bool

        mutating func bool() -> Bool { Bool.random(using: &generator) }

        mutating func number(in range: ClosedRange<Int>) -> Int {
            Int.random(in: range, using: &generator)
        }

        mutating func count() -> Int { number(in: 0...Int(Int32.max)) }

        mutating func pid() -> Int32 { Int32.random(in: 1...Int32.max, using: &generator) }

        mutating func generation() -> Int { number(in: NumericKey.generations) }

        mutating func milliseconds() -> Duration {
            .milliseconds(number(in: NumericKey.timeout.range))
        }

        mutating func microseconds() -> Duration {
            .microseconds(number(in: NumericKey.elapsed.range))
        }

        mutating func optional<Value>(_ value: (inout Values) -> Value) -> Value? {
            isFull || bool() ? value(&self) : nil
        }

        mutating func list<Value>(_ value: (inout Values) -> Value) -> [Value] {
            let count = number(in: isFull ? 1...3 : 0...3)
            return (0..<count).map { _ in value(&self) }
        }

        mutating func bytes() -> [UInt8] {
            (0..<number(in: 0...40)).map { _ in UInt8(number(in: 0...255)) }
        }

        /// Any text, one character at least.
        mutating func text() -> String {
            let ranges: [ClosedRange<Int>] = [
                0...0x7F, 0x20...0x7E, 0x80...0xD7FF, 0x1F300...0x1F5FF,
            ]
            var text = String.UnicodeScalarView()
            for _ in 0..<number(in: 1...12) {
                let range = ranges[number(in: 0...3)]
                if let scalar = Unicode.Scalar(UInt32(number(in: range))) { text.append(scalar) }
            }
            return String(text)
        }

        mutating func word() -> String {
            let letters = (0..<number(in: 1...8)).map { _ in UInt8(number(in: 97...122)) }
            return String(decoding: letters, as: UTF8.self)
        }

        mutating func features() -> [FeatureWord] {
            list { FeatureWord(rawValue: $0.word()) }
        }

        mutating func failure() -> Failure {
            Failure(code: FailureCode(rawValue: word()), reason: text())
        }

        mutating func entry() -> ManifestEntry {
            ManifestEntry(
                what: text(), origin: bool() ? .bound : .activation, backlog: count(),
                name: "n" + text(), isStored: bool())
        }
    }
}
