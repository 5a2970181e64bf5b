// SPDX-License-Identifier: Apache-2.0

import SwapReleases
import Testing

@Suite struct SwitchStateMachineTests {
    private typealias Machine = SwitchStateMachine

    /// Answers the action at `index` with `event`, and every other one with `done`.
    private func walk(
        writesCurrent: Bool, at index: Int?, _ event: Machine.Event
    ) -> [Machine.Action] {
        var machine = Machine(writesCurrent: writesCurrent)
        var actions = [machine.begin()]
        while let next = machine.handle(actions.count - 1 == index ? event : .done) {
            actions.append(next)
            if case .finish = next { break }
        }
        return actions
    }

    @Test func switch_whenAllIsWell_commitsBeforeTheJournal() {
        #expect(
            walk(writesCurrent: false, at: nil, .done) == [
                .check, .writeIntent, .pointLinks, .upgradeServer, .commit, .journal(.committed),
                .finish(.committed),
            ])
        #expect(walk(writesCurrent: true, at: nil, .done)[2] == .writeCurrent)
    }

    @Test(
        arguments: [
            (0, [.check, .restoreCurrent, .journal(.refused), .finish(.refused)]),
            (1, [.check, .writeIntent, .restoreCurrent, .journal(.refused), .finish(.refused)]),
            (
                2,
                [
                    .check, .writeIntent, .pointLinks, .restoreLinks, .restoreCurrent,
                    .journal(.refused),
                    .removeIntent, .finish(.refused),
                ]
            ),
            (
                3,
                [
                    .check, .writeIntent, .pointLinks, .upgradeServer, .restoreLinks,
                    .restoreCurrent,
                    .journal(.unchanged), .removeIntent, .finish(.unchanged),
                ]
            ),
            (4, [.check, .writeIntent, .pointLinks, .upgradeServer, .commit, .finish(.unknown)]),
            (
                5,
                [
                    .check, .writeIntent, .pointLinks, .upgradeServer, .commit,
                    .journal(.committed),
                    .finish(.committed),
                ]
            ),
        ] as [(Int, [SwitchStateMachine.Action])])
    func step_whenItFails_isUndoneInReverse(
        index: Int, actions: [SwitchStateMachine.Action]
    ) {
        #expect(walk(writesCurrent: false, at: index, .failed) == actions)
    }

    @Test func upgrade_whenOutcomeIsUnknown_leavesTheIntentForTheRecovery() {
        let actions = walk(writesCurrent: false, at: 3, .unknown)
        #expect(actions.suffix(2) == [.upgradeServer, .finish(.unknown)])
    }

    /// Whatever fails, in whatever combination: the end is reached, what is written down first is
    /// the intent, nothing is changed before it, and what failed is never recorded as serving.
    @Test(arguments: [false, true]) func everyOrderOfFailures_endsTidily(writesCurrent: Bool) {
        for bits in 0..<(1 << 12) {
            var machine = Machine(writesCurrent: writesCurrent)
            var actions = [machine.begin()]
            var index = 0
            while true {
                let fails = bits >> index & 1 == 1
                guard let next = machine.handle(fails ? .failed : .done) else {
                    Issue.record("no answer after \(actions)")
                    return
                }
                actions.append(next)
                index += 1
                if case .finish = next { break }
            }
            check(actions)
        }
    }

    private func check(_ actions: [SwitchStateMachine.Action]) {
        #expect(actions.count <= 11, "\(actions)")
        let changes: [SwitchStateMachine.Action] = [
            .writeCurrent, .pointLinks, .upgradeServer, .commit,
        ]
        if let first = actions.firstIndex(where: changes.contains) {
            #expect(actions[..<first].contains(.writeIntent), "\(actions)")
        }
        let ending = actions[actions.count - 1]
        #expect((ending == .finish(.committed)) == actions.contains(.journal(.committed)))
        if ending == .finish(.refused) || ending == .finish(.unchanged) {
            #expect(actions.contains(.restoreCurrent), "\(actions)")
            #expect(actions.contains(.pointLinks) == actions.contains(.restoreLinks), "\(actions)")
            #expect(!actions.contains(.commit), "\(actions)")
        }
        #expect(actions.contains(.upgradeServer) == (ending != .finish(.refused)), "\(actions)")
    }

    @Test func events_thatCannotHappen_areRefused() {
        var machine = Machine(writesCurrent: false)
        #expect(machine.handle(.done) == nil)
        _ = machine.begin()
        #expect(machine.handle(.unknown) == nil)
        _ = machine.handle(.failed)
        _ = machine.handle(.done)
        #expect(machine.handle(.done) == .finish(.refused))
        #expect(machine.handle(.done) == nil)
    }
}
