// SPDX-License-Identifier: Apache-2.0

package import SwapControl

/// What the service manager reports of the unit of a service, and what is wrong with that unit.
package struct ManagerReport: Sendable {
    package let unit: UnitReference
    /// Nil: the manager could not be asked, for ``failure``.
    package let properties: UnitProperties?
    package let failure: String?
    package let warnings: [UnitWarning]
    /// The watchdog time that the server reports; nil: it reports none.
    package let watchdogMicroseconds: Int?

    package init(
        unit: UnitReference, properties: UnitProperties?, failure: String? = nil,
        warnings: [UnitWarning] = [], watchdogMicroseconds: Int? = nil
    ) {
        self.unit = unit
        self.properties = properties
        self.failure = failure
        self.warnings = warnings
        self.watchdogMicroseconds = watchdogMicroseconds
    }

    /// Asks the manager about the unit that the generations report; nil: they report none, and no program is run.
    ///
    /// Returns within two seconds.
    package static func ask(_ report: StatusReport) -> ManagerReport? {
        ask(report, tool: "systemctl", patience: .seconds(2))
    }

    /// As ``ask(_:)``, with another tool than systemctl, by its path.
    package static func ask(_ report: StatusReport, tool: String, patience: Duration)
        -> ManagerReport?
    {
        guard let speaker = report.serving ?? report.living.first(where: { $0.unit != nil }),
            let unit = speaker.unit
        else { return nil }
        do throws(ManagerQuery.QueryFailure) {
            let properties = try ManagerQuery(unit: unit, tool: tool, patience: patience).ask()
            var facts = UnitFacts(
                unit: unit, properties: properties, service: report.service.name,
                living: report.living)
            facts.lookAtProcesses()
            return ManagerReport(
                unit: unit, properties: properties, warnings: UnitWarning.all(facts),
                watchdogMicroseconds: speaker.watchdogMicroseconds)
        } catch {
            return ManagerReport(
                unit: unit, properties: nil, failure: error.reason,
                watchdogMicroseconds: speaker.watchdogMicroseconds)
        }
    }
}

// MARK: - For people

extension ManagerReport {
    package var lines: [String] {
        guard let properties else {
            return [
                "", "\(unit.name.terminalSafe): its manager could not be asked: \(failure ?? "")",
            ]
        }
        func value(_ key: String) -> String { (properties[key] ?? "?").terminalSafe }
        let main = properties.integer("MainPID") ?? 0
        let scope = unit.isOfUser ? " of the user's manager" : ""
        return [
            "",
            "\(unit.name.terminalSafe)\(scope): \(value("ActiveState")) (\(value("SubState"))), "
                + (main > 0 ? "main pid \(main)" : "no main process"),
            "  Type=\(value("Type")), NotifyAccess=\(value("NotifyAccess")), \(watchdog), "
                + "\(value("NFileDescriptorStore")) of at most \(value("FileDescriptorStoreMax")) "
                + "descriptors stored",
        ] + warnings.map { "  warning: \($0.sentence)" }
    }

    private var watchdog: String {
        guard let limit = properties?.time("WatchdogUSec") ?? watchdogMicroseconds, limit > 0
        else { return "no watchdog" }
        return "watchdog after \(DurationText.seconds(microseconds: limit))"
    }
}

// MARK: - For programs

extension JSONValue {
    package static func manager(_ report: ManagerReport, service: String) -> JSONValue {
        let properties = report.properties
        return [
            "event": "manager", "service": .string(service), "unit": .string(report.unit.name),
            "scope": .string(report.unit.isOfUser ? "user" : "system"),
            "active_state": .optional(properties?["ActiveState"]),
            "sub_state": .optional(properties?["SubState"]),
            "main_pid": .optional(properties?.integer("MainPID")),
            "type": .optional(properties?["Type"]),
            "notify_access": .optional(properties?["NotifyAccess"]),
            "watchdog_us": .optional(
                properties?.time("WatchdogUSec") ?? report.watchdogMicroseconds),
            "stored": .optional(properties?.integer("NFileDescriptorStore")),
            "stored_max": .optional(properties?.integer("FileDescriptorStoreMax")),
            "unknown_because": .optional(report.failure),
            "warnings": .array(
                report.warnings.map { warning in
                    [
                        "code": .string(warning.code), "harm": .string(warning.harm),
                        "remedy": .string(warning.remedy),
                    ]
                }),
        ]
    }
}
