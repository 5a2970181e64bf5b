// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

/// Every order of events, and the death of either process at every step (docs/protocol.md §2.3).
@Suite struct ExplorationTests {
    static let settings = [
        Setting(batches: [2], stateSize: nil),
        Setting(batches: [2], stateSize: 10),
        Setting(batches: [2, 1], stateSize: nil),
        Setting(batches: [2, 1], stateSize: 100_000),
        Setting(batches: [0], stateSize: 10, features: []),
    ]

    @Test(arguments: settings)
    func upgrade_inEveryOrderOfEvents_keepsTheRules(_ setting: Setting) throws {
        let result = try Exploration.run(setting, withStrays: false)
        print("explored \(setting): \(result.worlds) states, \(result.transitions) transitions")
        #expect(Set(result.outcomes.keys) == Self.expectedOutcomes(setting))
    }

    @Test(arguments: settings)
    func upgrade_withOneStrayMessageAtAnyMoment_keepsTheRules(_ setting: Setting) throws {
        let result = try Exploration.run(setting, withStrays: true)
        print(
            "explored with strays, \(setting): \(result.worlds) states, "
                + "\(result.transitions) transitions")
        #expect(Set(result.outcomes.keys) == Self.expectedOutcomes(setting))
    }

    private static func expectedOutcomes(_ setting: Setting) -> Set<World.Outcome> {
        let always: Set<World.Outcome> = [
            .notStarted, .predecessorServesOn, .successorServes, .allDead, .rogueIsLeft,
        ]
        // Only of one that says when it leaves it is certain that it has not.
        return setting.features.contains("leaving") ? always.union([.rescuerServes]) : always
    }
}
