// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// The properties of a unit, as `systemctl show` prints them.
///
/// A property that this version of systemd does not know is nil, which is not the same as its default. A list of
/// commands is also nil if it is empty.
package struct UnitProperties: Sendable, Hashable {
    private let values: [String: String]

    /// Parses lines `Key=Value`; the values of a repeated key are joined by newlines.
    package init(_ text: String) {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let sign = line.firstIndex(of: "=") else { continue }
            let value = String(line[line.index(after: sign)...])
            values[String(line[..<sign]), default: ""] +=
                values[String(line[..<sign])] == nil
                ? value : "\n" + value
        }
        self.values = values
    }

    /// The properties to ask for.
    static let names = [
        "Id", "LoadState", "ActiveState", "SubState", "Type", "ExitType", "NotifyAccess", "MainPID",
        "KillMode", "SendSIGKILL", "NonBlocking", "Delegate", "StartLimitIntervalUSec", "Restart",
        "RuntimeDirectory", "RuntimeDirectoryPreserve", "ExecReload", "WatchdogUSec",
        "NFileDescriptorStore", "FileDescriptorStoreMax", "TimeoutStopUSec", "OOMPolicy",
        "ControlGroup", "TriggeredBy", "Requires", "BindsTo",
    ]

    package subscript(_ key: String) -> String? { values[key] }

    func integer(_ key: String) -> Int? { values[key].flatMap { Int($0) } }

    func words(_ key: String) -> [String] {
        (values[key] ?? "").split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
    }

    /// In microseconds; nil for `infinity`.
    package func time(_ key: String) -> Int? { values[key].flatMap(Self.microseconds) }

    /// `1min 30s`, `45s`, `250ms`, or a plain number of microseconds.
    static func microseconds(_ text: String) -> Int? {
        let words = text.split(separator: " ")
        if words.isEmpty { return nil }
        var sum = 0
        for word in words {
            let digits = word.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int(digits), number < 1_000_000_000_000,
                let unit = units[String(word.dropFirst(digits.count))]
            else { return nil }
            sum = sum.addingClamped(number.multipliedReportingOverflow(by: unit).partialValue)
        }
        return sum
    }

    private static let units = [
        "": 1, "us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000,
        "d": 86_400_000_000, "w": 604_800_000_000,
    ]
}
