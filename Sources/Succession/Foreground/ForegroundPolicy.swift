// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport

/// What a process that waits for this one means for an upgrade.
enum ForegroundPolicy {
    /// Whether it matters.
    static func isWanted(_ configuration: GenerationConfiguration) -> Bool {
        configuration.foreground == .automatic
            && ProcessEnvironment.value(ForegroundParent.variable) != "off"
    }

    /// The pid of the foreground parent that started this line, as the environment has it.
    static var parent: Int32? {
        ProcessEnvironment.value(ForegroundParent.variable).flatMap { Int32($0) }
    }

    /// Why an upgrade would end the service; nil: it would not, as far as can be told.
    ///
    /// Only of the first of its line: a process that waits for that one alone has left with it.
    static func obstacle(
        to service: String, _ configuration: GenerationConfiguration, isFirst: Bool
    ) -> String? {
        guard isFirst, isWanted(configuration) else { return nil }
        if let parent, isAbove(parent) { return nil }
        return WaitingParent.current()?.refusal(of: service)
    }

    /// The variable may have come from a parent of something else.
    private static func isAbove(_ ancestor: Int32) -> Bool {
        var current = ProcessEnvironment.parentProcessID
        for _ in 0..<16 {
            if current == ancestor { return true }
            guard current > 1, let status = ProcessStatus.of(current) else { return false }
            current = status.parentProcessID
        }
        return false
    }
}
