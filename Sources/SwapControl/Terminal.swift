// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The person at the keyboard.
package enum Terminal {
    /// Whether there is one who reads what is written and can answer.
    package static var isThere: Bool {
        StandardStream.error.isTerminal && isTerminal("/proc/self/fd/0")
    }

    /// Asks; anything but a yes is a no.
    package static func confirms(_ question: String) -> Bool {
        StandardStream.error.write("\(question) [y/N] ")
        let bytes = (try? Syscall.read(0, count: 256)) ?? []
        let answer = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return ["y", "yes"].contains(answer.lowercased())
    }

    private static func isTerminal(_ link: String) -> Bool {
        guard let target = try? Syscall.readLink(link) else { return false }
        return target.hasPrefix("/dev/pts/") || target.hasPrefix("/dev/tty")
            || target == "/dev/console"
    }
}
