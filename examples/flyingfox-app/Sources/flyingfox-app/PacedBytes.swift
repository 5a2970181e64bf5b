// SPDX-License-Identifier: Apache-2.0

import FlyingSocks

/// A chunk, a pause, a chunk, …: a download that outlives an upgrade.
struct PacedBytes: AsyncBufferedSequence, AsyncBufferedIteratorProtocol {
    static let chunk = 1000

    var chunks: Int
    let pause: Duration

    func makeAsyncIterator() -> PacedBytes { self }

    mutating func next() async throws -> UInt8? {
        try await nextBuffer(suggested: 1)?.first
    }

    mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
        guard chunks > 0 else { return nil }
        chunks -= 1
        try await Task.sleep(for: pause)
        return [UInt8](repeating: UInt8(ascii: "x"), count: Self.chunk)
    }
}
