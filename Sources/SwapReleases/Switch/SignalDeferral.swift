// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Discards the signals that would end this process in the middle of a switch.
///
/// The site would stay half switched until the next watch or rollback. A signal that is ignored stays
/// ignored.
struct SignalDeferral {
    private let signals: [CInt]
    private let pipe: (read: OwnedDescriptor, write: OwnedDescriptor)

    /// SIGINT, SIGTERM and SIGHUP have no effect from here until ``end()``.
    init() throws(ControlError) {
        let signals = [Signals.interrupt, Signals.terminate, Signals.hangUp].filter {
            !Signals.isIgnored($0)
        }
        self.signals = signals
        pipe = try attempt("cannot catch signals") { () throws(Errno) in
            let pipe = try Syscall.pipe(nonBlocking: true)
            try SignalRelay.install(signals, writingTo: pipe.write.rawValue)
            return pipe
        }
    }

    /// Restores the default actions of the signals.
    func end() {
        SignalRelay.restoreDefault(signals)
    }
}
