// SPDX-License-Identifier: Apache-2.0

package import SwapControl

/// How a switch ended.
package struct SwitchOutcome: Sendable {
    package let ending: SwitchStateMachine.Ending
    package let entry: JournalEntry
    package let site: ReleaseSite
    package let exitCode: ExitCode
    /// What could not be tidied up.
    package let warnings: [String]

    /// What happened, and why.
    package var sentence: String {
        let what = entry.to?.description(in: site) ?? site.currentPath
        switch ending {
        case .committed:
            guard let generation = entry.generation else {
                return "\(entry.service): nobody serves; the next start serves \(what)"
            }
            let who = Serving(generation: generation, processID: entry.processID)
            return "\(entry.service): \(who) serves \(what)"
        case .unchanged: return "\(entry.service): \(what) failed: \(entry.reason ?? "")"
        case .refused: return "\(entry.service): \(what) was refused: \(entry.reason ?? "")"
        case .unknown:
            return "\(entry.service): whether \(what) serves is not known: \(entry.reason ?? "")"
        }
    }

    package var json: JSONValue {
        guard case .object(var fields) = entry.json else { return .null }
        fields["event"] = "result"
        fields["exit_code"] = .integer(Int(exitCode.rawValue))
        fields["warnings"] = .array(warnings.map { .string($0) })
        if ending == .unknown { fields["result"] = "unknown" }
        return .object(fields)
    }
}
