// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

/// Every order of events, and the death of either process at every step (docs/protocol.md §2.3).
@Suite struct ExplorationTests {
    static let handovers = [
        Setting(batches: [2]),
        Setting(batches: [2, 1], stateSize: 100_000),
        Setting(batches: [0], stateSize: 10, features: []),
    ]
    static let strays = [
        Setting(batches: [2, 1], stateSize: 10, faults: .strays),
        Setting(batches: [0], stateSize: 10, features: [], faults: .strays),
    ]
    static let supervised = [
        Setting(batches: [2], manager: .parent, faults: .manager),
        Setting(batches: [2], manager: .parent, access: .all, faults: .manager),
        Setting(batches: [2], manager: .distant, faults: .manager),
    ]

    @Test(arguments: handovers)
    func upgrade_inEveryOrderOfEvents_keepsTheRules(_ setting: Setting) throws {
        let result = try explore(setting)
        #expect(Set(result.outcomes.keys) == Self.expectedOutcomes(setting))
    }

    @Test(arguments: strays)
    func upgrade_withOneStrayMessageAtAnyMoment_keepsTheRules(_ setting: Setting) throws {
        let result = try explore(setting)
        #expect(Set(result.outcomes.keys) == Self.expectedOutcomes(setting))
    }

    @Test(arguments: supervised)
    func upgrade_underAServiceManager_keepsTheRules(_ setting: Setting) throws {
        let result = try explore(setting)
        #expect(Set(result.outcomes.keys) == Self.expectedOutcomes(setting))
    }

    @Test func upgrade_askedForTwice_keepsTheRules() throws {
        let setting = Setting(batches: [2], faults: .requests)
        let result = try explore(setting)
        #expect(Set(result.outcomes.keys) == Self.expectedOutcomes(setting))
    }

    private func explore(_ setting: Setting) throws -> Exploration.Result {
        let result = try Exploration.run(setting)
        print("explored \(setting): \(result.worlds) states, \(result.transitions) transitions")
        return result
    }

    private static func expectedOutcomes(_ setting: Setting) -> Set<World.Outcome> {
        var expected: Set<World.Outcome> = [
            .notStarted, .predecessorServesOn, .successorServes, .allDead, .rogueIsLeft,
        ]
        // Only of one that says when it leaves it is certain that it has not. A service manager that
        // supervises starts the service anew by itself.
        if setting.features.contains("leaving"), setting.manager != .parent {
            expected.insert(.rescuerServes)
        }
        if setting.faults == .drains { expected.insert(.strangerServes) }
        return expected
    }
}
