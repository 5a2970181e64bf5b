// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// Where a command writes: what is asked for to standard output, what happens meanwhile to standard error.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Has this process outlive those who read what it writes.
    ///
    /// Programs that it starts begin with the default.
    package static func outliveReaders() { SignalRelay.ignoreBrokenPipes() }

    /// Writes at once and unbuffered; that nobody reads is no error.
    ///
    /// Control characters of a peer that have come this far are shown as `?`.
    package func write(_ text: String) {
        if text.isEmpty { return }
        try? Syscall.writeAll(rawValue, Array(TerminalText.lines(text).utf8))
    }

    /// Whether it is a terminal that can move its cursor.
    package var isTerminal: Bool {
        guard ProcessEnvironment.value("TERM") != "dumb",
            let target = try? Syscall.readLink("/proc/self/fd/\(rawValue)")
        else { return false }
        return target.hasPrefix("/dev/pts/") || target.hasPrefix("/dev/tty")
            || target == "/dev/console"
    }
}
