// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl

/// Everything that the checks of a unit look at.
package struct UnitFacts: Sendable {
    package var unit: UnitReference
    package var properties: UnitProperties
    /// The name by which swapctl knows the service.
    package var service: String
    /// The generations that answered, newest first.
    package var living: [GenerationStatus]
    /// The parent and the path of the control group of each living process, as far as /proc shows them.
    package var parents: [Int: Int] = [:]
    package var controlGroups: [Int: String] = [:]
    /// The directory in which the manager makes runtime directories.
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

    var serving: GenerationStatus? { living.first { $0.isServing } }
    /// The generation whose listeners are checked.
    var speaker: GenerationStatus? { serving ?? living.first }

    /// Reads ``parents`` and ``controlGroups`` from /proc.
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
