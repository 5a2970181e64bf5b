// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Signals that a process ignores, which is kept over exec.
package struct IgnoredSignals: Sendable, Hashable {
    /// Bit 0 is signal 1.
    let rawValue: UInt64

    /// Numbers that are no signal's are left out.
    package init(_ numbers: [CInt] = []) {
        rawValue = numbers.reduce(0) { $0 | Self.bit($1) }
    }

    package func contains(_ number: CInt) -> Bool { rawValue & Self.bit(number) != 0 }

    /// What this process ignores now and its successors shall ignore too, as a program does that is
    /// started by exec.
    ///
    /// SIGCHLD is left out: who ignores that cannot wait for a child. So is SIGPIPE after
    /// ``SignalRelay/ignoreBrokenPipes()``, if it was not ignored before. The corresponding C function is
    /// `sigaction`.
    package static func inherited() -> IgnoredSignals {
        let isOwnChoice = SignalRelay.ignoresPipesItself.load(ordering: .relaxed)
        return IgnoredSignals(
            (1...64).filter { number in
                number != Signals.child && !(number == SIGPIPE && isOwnChoice)
                    && Signals.isIgnored(number)
            })
    }

    private static func bit(_ number: CInt) -> UInt64 {
        (1...64).contains(number) ? 1 << UInt64(number - 1) : 0
    }
}
