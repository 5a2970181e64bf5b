// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct ManifestEntryTests {
    @Test func manifest_whenReadBack_isTheSame() {
        let entries = [
            ManifestEntry(
                what: "tcp:127.0.0.1:8080", origin: .activation, backlog: 511, name: "http"),
            ManifestEntry(what: "unix:/run/a b", origin: .bound, backlog: 0, name: ""),
            ManifestEntry(what: "lock", origin: .unspecified, backlog: 0, name: ""),
        ]
        let body = ManifestBody.encode(entries)
        #expect(
            String(decoding: body, as: UTF8.self) == """
                tcp:127.0.0.1:8080 activation 511 http
                unix:/run/a%20b bound 0 -
                lock - 0 -

                """)
        #expect(ManifestBody.decode(body) == entries)
    }

    @Test(arguments: [
        [], ["tcp:*:1"], ["tcp:*:1", "bound", "1"], ["", "bound", "1", "a"],
        ["tcp:*:1", "bound", "x", "a"], ["tcp:*:1", "bound", "-1", "a"],
        ["tcp:*:1", "bound", "1", ""],
    ])
    func init_whenNotAnEntry_isNil(_ fields: [String]) {
        #expect(ManifestEntry(fields: fields) == nil)
    }

    @Test func init_whenLaterVersionSaysMore_readsWhatItKnows() {
        let entry = ManifestEntry(fields: ["other", "rented", "1", "a", "more"])
        #expect(
            entry == ManifestEntry(what: "other", origin: .unspecified, backlog: 1, name: "a"))
    }
}

@Suite struct ManifestBodyTests {
    @Test func decode_whenEmpty_hasNoEntries() {
        #expect(ManifestBody.decode([]) == [])
    }

    @Test(arguments: [
        "tcp:*:1 bound 1\n", "tcp:*:1  bound 1 a\n", "tcp:*:1 bound 1 %ZZ a\n", "\0", "a b c d",
    ])
    func decode_whenALineIsNoEntry_isNil(_ text: String) {
        #expect(ManifestBody.decode([UInt8](text.utf8)) == nil)
    }

    @Test func decode_whenNotUTF8_isNil() {
        #expect(ManifestBody.decode([UInt8]("other - 0 ".utf8) + [0xFF, 0x0A]) == nil)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func decode_whenRandomBytes_neverTraps(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let alphabet = [UInt8]("a -0%2\n".utf8) + [0xFF]
            let body = (0..<40).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            _ = ManifestBody.decode(body)
        }
    }
}

@Suite struct OfferBatchesTests {
    @Test(arguments: [(0, [0]), (1, [1]), (252, [252]), (253, [252, 1]), (756, [252, 252, 252])])
    func ranges_whenManyEntries_holdAtMost250(count: Int, expected: [Int]) {
        let entries = [ManifestEntry](repeating: Self.entry(name: "a"), count: count)
        #expect(OfferBatches.ranges(entries).map(\.count) == expected)
        #expect(OfferBatches.split(entries).flatMap { $0 } == entries)
    }

    @Test func ranges_whenNamesAreLong_keepThePacketSmall() {
        let entries = (0..<300).map {
            Self.entry(name: String(repeating: "é%\n", count: 40 + $0))
        }
        let batches = OfferBatches.split(entries)
        #expect(batches.flatMap { $0 } == entries)
        for batch in batches {
            #expect(ManifestBody.encode(batch).count <= OfferBatches.maximumManifestSize)
        }
    }

    @Test func ranges_whenOneEntryAloneIsTooLong_giveItABatchOfItsOwn() {
        let long = Self.entry(name: String(repeating: "x", count: 60_000))
        let entries = [Self.entry(name: "a"), long, Self.entry(name: "b")]
        #expect(OfferBatches.ranges(entries) == [0..<1, 1..<2, 2..<3])
    }

    private static func entry(name: String) -> ManifestEntry {
        ManifestEntry(what: "tcp:*:80", origin: .bound, backlog: 128, name: name)
    }
}
