// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// One thing a service says to its manager (sd_notify(3)).
public struct ManagerNotice: Sendable, Hashable {
    /// Lines `KEY=VALUE`, with a newline between them.
    let text: String

    private init(_ text: String) {
        self.text = text
    }

    /// A line of any key; control characters in the value become spaces, and what exceeds 1,024
    /// bytes is cut.
    public init(_ key: String, _ value: String) {
        var line = "\(key)="
        for character in value {
            let isControl = character.unicodeScalars.contains {
                $0.value < 0x20 || $0.value == 0x7F
            }
            line.append(isControl ? " " : character)
            if line.utf8.count > 1_024 { break }
        }
        text = line
    }

    /// The service is up, or done with reloading.
    public static let ready = ManagerNotice("READY=1")
    /// The service is going down for good; never said by one that leaves its work to a successor.
    public static let stopping = ManagerNotice("STOPPING=1")
    /// The service is alive.
    public static let watchdog = ManagerNotice("WATCHDOG=1")

    /// The line that `systemctl status` shows.
    public static func status(_ text: String) -> ManagerNotice {
        ManagerNotice("STATUS", text)
    }

    /// The service reads its configuration anew, from this moment until it says ``ready``.
    public static func reloading() -> ManagerNotice {
        // Type=notify-reload wants to know that this answers its own request and no earlier one.
        ManagerNotice(
            "RELOADING=1\nMONOTONIC_USEC=\(Syscall.monotonicNanoseconds() / 1_000)")
    }

    /// The service needs as long as this, from now on, for its start, reload or stop.
    ///
    /// The manager never shortens a time-out by it, and puts off the watchdog too.
    public static func extendTimeout(by time: Duration) -> ManagerNotice {
        let (seconds, attoseconds) = time.components
        let microseconds =
            max(0, min(seconds, 1 << 32)) * 1_000_000
            + max(0, attoseconds) / 1_000_000_000_000
        return ManagerNotice("EXTEND_TIMEOUT_USEC=\(microseconds)")
    }

    /// The manager is to keep the descriptor that goes with this message, even if its other end is
    /// closed.
    static func store(_ name: String) -> ManagerNotice {
        ManagerNotice("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0")
    }

    /// The manager is to drop what it keeps under this name.
    static func removeStored(_ name: String) -> ManagerNotice {
        ManagerNotice("FDSTOREREMOVE=1\nFDNAME=\(name)")
    }

    /// The process is the main one of the service from now on.
    ///
    /// Never by MAINPIDFD=, which version 252 takes for the end of the service.
    package static func mainProcess(_ pid: Int32, identity: UInt64?) -> ManagerNotice {
        ManagerNotice("MAINPID=\(pid)" + (identity.map { "\nMAINPIDFDID=\($0)" } ?? ""))
    }
}
