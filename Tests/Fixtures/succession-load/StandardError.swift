// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Where people are told what goes wrong while it does.
enum StandardError {
    /// Writes the text in one call, so that the lines of two workers do not mix.
    static func print(_ text: String) {
        let bytes = Array("succession-load: \(text)".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
