// SPDX-License-Identifier: Apache-2.0

package import SwapControl

/// How a switch ended.
package struct SwitchOutcome: Sendable {
    package let ending: SwitchStateMachine.Ending
    package let entry: JournalEntry
    package let site: ReleaseSite
    private let code: ExitCode
    /// What could not be restored or removed.
    package let warnings: [String]
    /// The predecessor, while it still drains after an upgrade.
    package let leaving: Upgrade.Leaving?
    /// How the predecessor ended, if the caller waited for it.
    package var departure: DrainOutcome?

    init(
        ending: SwitchStateMachine.Ending, entry: JournalEntry, site: ReleaseSite,
        exitCode: ExitCode, warnings: [String], leaving: Upgrade.Leaving? = nil
    ) {
        self.ending = ending
        self.entry = entry
        self.site = site
        code = exitCode
        self.warnings = warnings
        self.leaving = leaving
    }

    package var exitCode: ExitCode { code == .done && departure?.isClean == false ? .cut : code }

    /// For the operator: what happened, and why.
    package var sentence: String {
        let what = entry.to?.description(in: site) ?? site.currentPath
        switch ending {
        case .committed:
            guard let generation = entry.generation else {
                return "\(entry.service): nobody serves; the next start executes \(what)"
            }
            let who = GenerationReference(generation: generation, processID: entry.processID)
            let end = departure.map { departure in
                "; " + (leaving.map { "generation \($0.generation) " } ?? "") + departure.sentence
            }
            return "\(entry.service): \(who) serves \(what)\(end ?? "")"
        case .unchanged: return "\(entry.service): \(what) failed: \(entry.reason ?? "")"
        case .refused: return "\(entry.service): \(what) was refused: \(entry.reason ?? "")"
        case .unknown:
            return "\(entry.service): it is not known whether \(what) serves: \(entry.reason ?? "")"
        }
    }

    package var json: JSONValue {
        guard case .object(var fields) = entry.json else { return .null }
        fields["event"] = "result"
        fields["exit_code"] = .integer(Int(exitCode.rawValue))
        fields["warnings"] = .array(warnings.map { .string($0) })
        if ending == .unknown { fields["result"] = "unknown" }
        if let departure {
            fields["departure"] = .string(departure.end.rawValue)
            fields["cut"] = .optional(departure.cut)
            fields["drain_us"] = .integer(departure.elapsedMicroseconds)
        }
        return .object(fields)
    }
}
