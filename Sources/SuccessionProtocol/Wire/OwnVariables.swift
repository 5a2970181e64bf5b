// SPDX-License-Identifier: Apache-2.0

/// Environment variables that speak of one process alone (docs/protocol.md §2).
///
/// A successor that believed in its predecessor's `LISTEN_FDS` would look for descriptors that are
/// not there; one that was given another's `SUCCESSION_CHANNEL` would wait for nobody.
package enum OwnVariables {
    package static let names: [String] = [
        "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_PID", "MAINPID",
        "MAINPIDFDID", "SYSTEMD_EXEC_PID", "SUCCESSION_CHANNEL", "SUCCESSION_STDERR",
        "SUCCESSION_ATTEMPT", "SUCCESSION_EXECUTABLE",
    ]

    /// The one of them that a change `KEY=VALUE`, or a bare `KEY`, would set; nil if it sets another.
    package static func name(in change: String) -> String? {
        names.first { name in
            guard change.hasPrefix(name) else { return false }
            let next = change.utf8.dropFirst(name.utf8.count).first
            return next == nil || next == UInt8(ascii: "=")
        }
    }
}
