// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl

/// All that a judgement on a unit's configuration rests on.
package struct UnitFacts: Sendable {
    package var unit: UnitReference
    package var properties: UnitProperties
    /// The name as an operator gives it to swapctl.
    package var service: String
    /// The generations that answered, newest first.
    package var living: [GenerationStatus]
    /// Of the processes above, as far as /proc shows them: the parent, and the path of the control group.
    package var parents: [Int: Int] = [:]
    package var controlGroups: [Int: String] = [:]
    /// Where the manager makes runtime directories.
    package var runtimeRoot = "/run"

    package init(
        unit: UnitReference, properties: UnitProperties, service: String,
        living: [GenerationStatus]
    ) {
        self.unit = unit
        self.properties = properties
        self.service = service
        self.living = living
    }

    var serving: GenerationStatus? { living.first { $0.state == "serving" } }
    /// The one whose listeners count.
    var speaker: GenerationStatus? { serving ?? living.first }

    /// Looks at the processes.
    mutating func lookAtProcesses() {
        if unit.isOfUser, let own = ProcessEnvironment.value("XDG_RUNTIME_DIR") {
            runtimeRoot = own
        }
        for process in living.compactMap(\.visibleProcessID) {
            guard let pid = Int32(exactly: process) else { continue }
            if let parent = ProcessStatus.of(pid)?.parentProcessID {
                parents[process] = Int(parent)
            }
            controlGroups[process] = ControlGroup.of(pid)?.path
        }
    }
}

extension UnitReference {
    /// `systemctl --user reload`, for messages.
    func command(_ verb: String) -> String {
        "systemctl \(isOfUser ? "--user " : "")\(verb)"
    }
}
