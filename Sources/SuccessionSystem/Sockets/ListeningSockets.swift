// SPDX-License-Identifier: Apache-2.0

/// Unix sockets on which somebody listens, as `/proc/net/unix` lists them: also those whose names have
/// been removed from their directory, or renamed.
package enum ListeningSockets {
    /// The names under which they were bound in a directory; empty where /proc is not mounted.
    package static func names(in directory: String) -> [String] {
        guard let table = try? Syscall.readFile("/proc/net/unix", limit: 1 << 26) else { return [] }
        let prefix = directory + "/"
        return String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line in
            // ffff…: 00000002 00000000 00010000 0005 01 131090 /run/web/.2.8697
            let fields = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
            guard fields.count == 8, isListening(flags: fields[3]), fields[7].hasPrefix(prefix)
            else { return nil }
            return String(fields[7].dropFirst(prefix.count))
        }
    }

    /// The kernel's __SO_ACCEPTCON.
    private static func isListening(flags: Substring) -> Bool {
        UInt32(flags, radix: 16).map { $0 & 0x10000 != 0 } ?? false
    }
}
