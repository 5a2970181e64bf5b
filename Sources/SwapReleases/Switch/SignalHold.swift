// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Holds back the signals that would end this process in the middle of a switch.
///
/// Nobody would tidy up after it until the next watch or rollback. What is ignored stays so.
struct SignalHold {
    private let signals: [CInt]
    private let pipe: (read: OwnedDescriptor, write: OwnedDescriptor)

    /// Begins to hold them back; those that come until ``end()`` have no effect.
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

    /// Has them do again what they do by default.
    func end() {
        SignalRelay.restoreDefault(signals)
    }
}
