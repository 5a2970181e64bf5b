// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Keeps the signals from ending this process in the middle of a switch.
///
/// The site would stay half switched until the next watch or rollback. Only a wait for a busy server
/// ends on them. A signal that is ignored stays ignored.
struct SignalDeferral {
    private let signals: [CInt]
    private let pipe: (read: OwnedDescriptor, write: OwnedDescriptor)

    /// Readable after a signal.
    var descriptor: CInt { pipe.read.rawValue }

    /// SIGINT, SIGTERM and SIGHUP do not end the process from here until ``end()``.
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
