// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// A standard stream of this process: results go to `output`, progress and errors go to `error`.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Makes a write fail, instead of ending this process, after the reader of a stream has closed it.
    ///
    /// Programs that this process starts get the default disposition.
    package static func outliveReaders() { SignalRelay.ignoreBrokenPipes() }

    /// Writes at once, without a buffer; a closed reader is not an error.
    ///
    /// Control characters are shown as `?`: the text may quote a peer.
    package func write(_ text: String) {
        if text.isEmpty { return }
        try? Syscall.writeAll(rawValue, Array(TerminalText.lines(text).utf8))
    }

    /// Whether the stream is a terminal that can move its cursor.
    package var isTerminal: Bool {
        ProcessEnvironment.value("TERM") != "dumb" && Terminal.isOpen(as: rawValue)
    }
}

/// The terminal from which this process was started, and the command line that was typed there.
package enum Terminal {
    /// Whether a person can read what is written to standard error and answer on standard input.
    package static var isInteractive: Bool {
        StandardStream.error.isTerminal && isOpen(as: 0)
    }

    /// Asks a question; any answer but `y` or `yes` is a no.
    package static func confirms(_ question: String) -> Bool {
        StandardStream.error.write("\(question) [y/N] ")
        let bytes = (try? Syscall.read(0, count: 256)) ?? []
        let answer = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return ["y", "yes"].contains(answer.lowercased())
    }

    /// The arguments after the name of the program, also where /proc is not mounted.
    package static func arguments() -> [String] {
        Array(ProcessEnvironment.arguments().dropFirst())
    }

    fileprivate static func isOpen(as descriptor: Int32) -> Bool {
        guard let target = try? Syscall.readLink("/proc/self/fd/\(descriptor)") else {
            return false
        }
        return target.hasPrefix("/dev/pts/") || target.hasPrefix("/dev/tty")
            || target == "/dev/console"
    }
}
