// SPDX-License-Identifier: Apache-2.0

import Succession

/// State of any size whose every page can be checked.
enum StatePattern {
    private static let chunk = 1 << 20

    static func write(_ size: Int, to writer: inout StateWriter) throws {
        var offset = 0
        while offset < size {
            let count = min(chunk, size - offset)
            let bytes = [UInt8](repeating: byte(at: offset), count: count)
            try bytes.withUnsafeBytes { try writer.write($0) }
            offset += count
        }
    }

    static func check(_ state: HandedState?, size: Int?) throws {
        guard let state else { return }
        guard let size, state.count == size else {
            throw UsageError("\(state.count) bytes of state")
        }
        try state.withUnsafeBytes { bytes in
            for offset in stride(from: 0, to: size, by: 4_096)
            where bytes[offset] != byte(at: offset) {
                throw UsageError("state differs at \(offset)")
            }
        }
    }

    private static func byte(at offset: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: offset / chunk &* 31 &+ 7)
    }
}
