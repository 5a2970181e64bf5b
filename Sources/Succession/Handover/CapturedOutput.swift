// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// What a successor prints to standard error before it is ready.
///
/// A memory file and no pipe: nobody has to read it, it never blocks its writer, and it outlives
/// either side, so that a predecessor killed in the middle does not take a logging successor along
/// by SIGPIPE.
struct CapturedOutput {
    let file: OwnedDescriptor

    init() throws(Errno) {
        file = try MemoryFile.create(name: "succession-stderr", allowSealing: false)
        // Several threads and processes may write; without O_APPEND the predecessor's own reading
        // would move their position.
        try Syscall.setAppend(file.rawValue)
    }

    /// Everything printed so far; of more than 64 KiB the first 16 and the last 48.
    func text() -> [UInt8] {
        guard let size = try? MemoryFile.size(file.rawValue), size > 0 else { return [] }
        if size <= 65_536 { return bytes(0, size) }
        return bytes(0, 16_384) + Array("\n…\n".utf8) + bytes(size - 49_152, 49_152)
    }

    private func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
        (try? Syscall.readAt(file.rawValue, offset: offset, count: count)) ?? []
    }

    /// The lines that tell an operator why it ended.
    func telltaleLines(_ limit: Int) -> [String] {
        Self.telltale(
            String(decoding: text(), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: true), limit
        ).map { String(decoding: $0.utf8.prefix(500), as: UTF8.self) }
    }

    /// Of many lines the first and the last: what went wrong is said before a backtrace or after a
    /// log.
    ///
    /// A Swift program says why it ends in a line of its own, between both.
    static func telltale(_ lines: [Substring], _ limit: Int) -> [Substring] {
        guard lines.count > limit, limit >= 4 else { return Array(lines.suffix(limit)) }
        let first = lines.prefix(limit / 2 - 1)
        let last = lines.suffix(limit / 2 - 1)
        let between = lines[first.endIndex..<last.startIndex]
        let fatal = between.first { $0.contains("Fatal error: ") }
        let left = between.count - (fatal == nil ? 0 : 1)
        return first + (fatal.map { [$0] } ?? []) + ["… \(left) lines left out …"] + last
    }
}

/// The successor's side of it.
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
