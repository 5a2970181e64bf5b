// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SwapReleases
import Testing

@Suite struct SHA256Tests {
    /// The examples of FIPS 180-4, and the one of NIST with a million letters.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func digest_ofKnownText_isTheKnownOne(text: String, digest: String) {
        #expect(SHA256.of(Array(text.utf8)) == digest)
    }

    /// Every length near a multiple of the block size, in every division into two parts.
    @Test func digest_ofParts_isThatOfTheWhole() {
        for count in [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 200] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for split in 0...count {
                var hash = SHA256()
                hash.add(Array(bytes[..<split]))
                hash.add(Array(bytes[split...]))
                #expect(hash.finish() == SHA256.of(bytes))
            }
        }
    }

    @Test func digest_ofAFile_isWhatSha256sumSays() throws {
        let path = NSTemporaryDirectory() + "/sha-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = (0..<1_000_003).map { _ in UInt8.random(in: 0 ... .max) }
        #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
        let digest = try SHA256.ofFile(
            Directory((path as NSString).deletingLastPathComponent),
            (path as NSString).lastPathComponent)
        #expect(try run("echo '\(digest)  \(path)' | sha256sum -c --quiet -") == 0)
    }
}
