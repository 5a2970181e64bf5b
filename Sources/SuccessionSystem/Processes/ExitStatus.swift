// SPDX-License-Identifier: Apache-2.0

import CSuccession

/// How a process ended.
package enum ExitStatus: Sendable, Hashable {
    case exited(Int32)
    case signaled(Int32, coreDumped: Bool)

    init(_ exit: csuccession_exit) {
        self =
            exit.was_signaled != 0
            ? .signaled(exit.value, coreDumped: exit.dumped_core != 0) : .exited(exit.value)
    }

    /// Reads a status as wait(2) has it.
    init(waitStatus: CInt) {
        let signal = waitStatus & 0x7F
        self =
            signal == 0
            ? .exited((waitStatus >> 8) & 0xFF)
            : .signaled(signal, coreDumped: waitStatus & 0x80 != 0)
    }

    /// As a shell tells it: 128 and the number of the signal for a process that one has ended.
    package var asShellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signaled(let number, _): 128 &+ number
        }
    }

    /// The name of a signal, `SIGKILL`, or `signal 42`.
    package static func signalName(_ number: Int32) -> String {
        Signals.name(number)
    }
}

extension ExitStatus: CustomStringConvertible {
    /// A predicate: `exited with status 1`, `was killed by signal 9 (SIGKILL)`.
    package var description: String {
        switch self {
        case .exited(let status):
            "exited with status \(status)"
        case .signaled(let number, let coreDumped):
            "was killed by signal \(number) (\(Signals.name(number)))"
                + (coreDumped ? " and dumped core" : "")
        }
    }
}
