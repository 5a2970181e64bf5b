// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// The end of ``CapturedOutput``, on the successor's side.
enum StandardErrorRedirection {
    /// Copies what was captured on descriptor 2 to the real standard error and puts that in its
    /// place.
    ///
    /// Lines written by other threads between the copy and the exchange are copied after it. What a
    /// pipe has no room for is left to a thread of its own: its reader may be slow, or have stopped
    /// for ever.
    static func end(real: OwnedDescriptor) {
        guard let captured = try? OwnedDescriptor.duplicating(2) else {
            try? Syscall.duplicate(real.rawValue, onto: 2)
            real.close()
            return
        }
        var offset = copyWithoutWaiting(captured, from: 0, to: real)
        try? Syscall.duplicate(real.rawValue, onto: 2)
        offset = copyWithoutWaiting(captured, from: offset, to: real)
        let size = (try? MemoryFile.size(captured.rawValue)) ?? 0
        if offset < size { try? copyOnAThread(captured, from: offset, real) }
        real.close()
    }

    private static func copyWithoutWaiting(
        _ source: OwnedDescriptor, from start: Int, to target: OwnedDescriptor
    ) -> Int {
        var offset = start
        while let bytes = read(source, offset) {
            let count = Syscall.writeWithoutWaiting(target.rawValue, bytes)
            offset += count
            if count < bytes.count { break }
        }
        return offset
    }

    private static func copyOnAThread(
        _ source: OwnedDescriptor, from start: Int, _ real: OwnedDescriptor
    ) throws(Errno) {
        let target = try real.duplicate()
        try startThread(name: "succession-log") {
            // A reader that leaves is no reason to end.
            SignalRelay.blockAllInThisThread()
            var offset = start
            while let bytes = read(source, offset),
                (try? Syscall.writeAll(target.rawValue, bytes)) != nil
            {
                offset += bytes.count
            }
            source.close()
            target.close()
        }
    }

    /// Nil at the end.
    private static func read(_ source: OwnedDescriptor, _ offset: Int) -> [UInt8]? {
        let bytes = try? Syscall.readAt(source.rawValue, offset: offset, count: 4_096)
        return bytes?.isEmpty == false ? bytes : nil
    }
}
