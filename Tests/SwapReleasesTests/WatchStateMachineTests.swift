// SPDX-License-Identifier: Apache-2.0

import SwapReleases
import Testing

@Suite struct WatchStateMachineTests {
    private typealias Machine = WatchStateMachine

    private func run(_ events: [WatchStateMachine.Event]) -> [[WatchStateMachine.Action]] {
        var machine = Machine()
        return events.map { machine.handle($0) }
    }

    @Test func change_whenAnotherReleaseIsNamed_isSwitchedTo() {
        #expect(
            run([.changed, .inspected(.different), .finished]) == [[.inspect], [.switchOver], []])
    }

    @Test func change_whenNothingElseIsNamed_isNoSwitch() {
        #expect(run([.changed, .inspected(.same), .changed]) == [[.inspect], [], [.inspect]])
    }

    @Test func change_duringInspection_isInspectedAgain() {
        #expect(
            run([.changed, .changed, .changed, .inspected(.different), .inspected(.different)])
                == [[.inspect], [], [], [.inspect], [.switchOver]])
    }

    @Test func changes_duringSwitch_areOneInspectionAfterIt() {
        #expect(
            run([
                .changed, .inspected(.different), .changed, .changed, .finished, .inspected(.same),
            ])
                == [[.inspect], [.switchOver], [], [], [.inspect], []])
    }

    @Test func unreadable_whenCompletedInTime_isNotRestored() {
        #expect(
            run([.changed, .inspected(.unreadable), .changed, .inspected(.different)])
                == [[.inspect], [.beginPatience], [.endPatience, .inspect], [.switchOver]])
    }

    @Test func unreadable_whenTimeIsOver_isInspectedOnceMoreAndRestored() {
        #expect(
            run([
                .changed, .inspected(.unreadable), .patienceEnded, .inspected(.unreadable),
                .finished,
            ])
                == [[.inspect], [.beginPatience], [.inspect], [.restoreCurrent], []])
    }

    @Test func unreadable_whenCompletedAtTheLastMoment_isSwitchedTo() {
        #expect(
            run([.changed, .inspected(.unreadable), .patienceEnded, .inspected(.different)])
                == [[.inspect], [.beginPatience], [.inspect], [.switchOver]])
    }

    @Test func lock_whenHeld_isAwaitedBeforeANewInspection() {
        #expect(
            run([.changed, .inspected(.busy), .changed, .changed, .unlocked, .inspected(.same)])
                == [[.inspect], [.beginRetry(.lock)], [], [], [.endRetry, .inspect], []])
    }

    @Test func lock_whenItsReleaseIsNotSeen_isTriedAgain() {
        #expect(
            run([
                .changed, .inspected(.busy), .retryDue, .inspected(.busy), .retryDue,
                .inspected(.same),
            ])
                == [
                    [.inspect], [.beginRetry(.lock)], [.inspect], [.beginRetry(.lock)], [.inspect],
                    [],
                ])
    }

    @Test func unknownOutcome_isRecoveredAndInspectedAgain() {
        #expect(
            run([.changed, .inspected(.different), .outcomeUnknown, .finished])
                == [[.inspect], [.switchOver], [.recover], [.inspect]])
        #expect(
            run([.changed, .inspected(.different), .outcomeUnknown, .outcomeUnknown, .changed])
                == [
                    [.inspect], [.switchOver], [.recover], [.beginRetry(.failure)],
                    [.endRetry, .inspect],
                ])
    }

    @Test func inspection_thatFails_isTriedAgainWithoutAChange() {
        #expect(
            run([.changed, .inspected(.failed), .retryDue, .inspected(.different), .finished])
                == [[.inspect], [.beginRetry(.failure)], [.inspect], [.switchOver], []])
        #expect(
            run([.changed, .inspected(.failed), .changed, .inspected(.same), .retryDue])
                == [[.inspect], [.beginRetry(.failure)], [.endRetry, .inspect], [], []])
    }

    @Test func unknownOutcome_thatStays_isTriedAgainWithoutAChange() {
        #expect(
            run([.changed, .inspected(.different), .outcomeUnknown, .outcomeUnknown, .retryDue])
                == [[.inspect], [.switchOver], [.recover], [.beginRetry(.failure)], [.inspect]])
        #expect(
            run([
                .changed, .inspected(.different), .outcomeUnknown, .stopRequested, .outcomeUnknown,
            ])
                == [[.inspect], [.switchOver], [.recover], [], [.stop]])
    }

    @Test func stop_whileSwitching_waitsForItsEnd() {
        #expect(
            run([.changed, .inspected(.different), .stopRequested, .changed, .finished, .changed])
                == [[.inspect], [.switchOver], [], [], [.stop], []])
    }

    @Test func stop_whenNoActionRuns_isImmediate() {
        #expect(run([.stopRequested, .changed]) == [[.stop], []])
        #expect(
            run([.changed, .inspected(.unreadable), .stopRequested])
                == [[.inspect], [.beginPatience], [.endPatience, .stop]])
        #expect(
            run([.changed, .inspected(.busy), .stopRequested])
                == [[.inspect], [.beginRetry(.lock)], [.endRetry, .stop]])
        #expect(
            run([.changed, .stopRequested, .inspected(.different)]) == [[.inspect], [], [.stop]])
    }

    // MARK: - A server that dies

    private func run(
        startsAgain: Bool, _ events: [WatchStateMachine.Event]
    ) -> [[WatchStateMachine.Action]] {
        var machine = Machine(startsAgain: startsAgain)
        return events.map { machine.handle($0) }
    }

    @Test func serverEnd_withoutStart_isReportedAndTheNextChangeStarts() {
        let down = Machine.Event.inspected(.down(canStart: true))
        #expect(
            run(startsAgain: false, [.serverEnded(wasStable: true), down, .changed, down])
                == [[.inspect], [.reportServerEnd(startsIn: nil)], [.inspect], [.switchOver]])
    }

    @Test func serverEnd_whenAnotherGenerationServes_isNotReported() {
        #expect(
            run(startsAgain: true, [.serverEnded(wasStable: false), .inspected(.same)])
                == [[.inspect], []])
    }

    @Test func serverEnd_whenNoCommandIsKnown_isReported() {
        #expect(
            run(
                startsAgain: true,
                [.serverEnded(wasStable: false), .inspected(.down(canStart: false)), .changed])
                == [[.inspect], [.reportServerEnd(startsIn: nil)], [.inspect]])
    }

    @Test func serverEnd_withStart_doublesThePauseUpToAMinute() {
        var machine = Machine(startsAgain: true)
        var pauses: [Duration] = []
        for _ in 0..<10 {
            #expect(machine.handle(.serverEnded(wasStable: false)) == [.inspect])
            let actions = machine.handle(.inspected(.down(canStart: true)))
            guard actions.count == 2, case .beginBackoff(let pause) = actions[1] else {
                Issue.record("\(actions)")
                return
            }
            #expect(actions[0] == .reportServerEnd(startsIn: pause))
            pauses.append(pause)
            #expect(machine.handle(.backoffEnded) == [.inspect])
            #expect(machine.handle(.inspected(.down(canStart: true))) == [.switchOver])
            #expect(machine.handle(.finished).isEmpty)
        }
        #expect(
            pauses.map { $0 / .seconds(1) } == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60])
    }

    @Test(arguments: [true, false])
    func pause_afterAStableServerOrAChange_isShortAgain(isStable: Bool) {
        var machine = Machine(startsAgain: true)
        _ = machine.handle(.serverEnded(wasStable: false))
        _ = machine.handle(.inspected(.down(canStart: true)))
        #expect(machine.handle(isStable ? .backoffEnded : .changed).last == .inspect)
        _ = machine.handle(.inspected(.down(canStart: true)))
        _ = machine.handle(.finished)
        _ = machine.handle(.serverEnded(wasStable: isStable))
        #expect(
            machine.handle(.inspected(.down(canStart: true))).last
                == .beginBackoff(.milliseconds(500)))
    }

    @Test func start_thatFails_isTriedAgainOnlyWithStart() {
        let begin: [Machine.Event] = [.changed, .inspected(.down(canStart: true)), .startFailed]
        #expect(run(startsAgain: false, begin) == [[.inspect], [.switchOver], []])
        #expect(
            run(
                startsAgain: true,
                begin + [.backoffEnded, .inspected(.down(canStart: true)), .startFailed])
                == [
                    [.inspect], [.switchOver], [.beginBackoff(.milliseconds(500))], [.inspect],
                    [.switchOver],
                    [.beginBackoff(.seconds(1))],
                ])
    }

    @Test func stop_duringThePause_isImmediate() {
        #expect(
            run(
                startsAgain: true,
                [.serverEnded(wasStable: true), .inspected(.down(canStart: true)), .stopRequested]
            )
            .last == [.endBackoff, .stop])
    }

    /// Every order of seven events: no change is lost, no two actions overlap, and every action follows
    /// from the last inspection.
    @Test func everyOrderOfEvents_losesNoChange() {
        for startsAgain in [false, true] {
            var world = World(machine: WatchStateMachine(startsAgain: startsAgain))
            explore(&world, depth: 7)
            #expect(world.visited > 19_000)
        }
    }

    private struct World {
        var machine = WatchStateMachine()
        /// The action that runs, whose result has not been reported yet.
        var running: WatchStateMachine.Action?
        var awaitsCompletion = false
        var isRetrying = false
        var isBackingOff = false
        var isBlocked = false
        var isStopping = false
        var hasStopped = false
        /// Something has changed since the last inspection began.
        var isStale = false
        var visited = 0
    }

    private func explore(_ world: inout World, depth: Int) {
        world.visited += 1
        if world.running == nil, !world.hasStopped {
            // No action runs: every change was inspected, or another process holds the lock.
            #expect(!world.isStale || world.isBlocked)
            #expect(!world.isBlocked || world.isRetrying)
            #expect(!world.isStopping)
        }
        if depth == 0 { return }
        for event in events(world) {
            var next = world
            apply(event, &next)
            explore(&next, depth: depth - 1)
            world.visited = next.visited
        }
    }

    /// The events that are possible now.
    private func events(_ world: World) -> [WatchStateMachine.Event] {
        if world.hasStopped { return [] }
        var events: [WatchStateMachine.Event] = [
            .changed, .stopRequested, .serverEnded(wasStable: false),
        ]
        switch world.running {
        case .inspect:
            events += [
                .inspected(.same), .inspected(.different), .inspected(.unreadable),
                .inspected(.busy),
                .inspected(.failed), .inspected(.down(canStart: true)),
            ]
        case .switchOver: events += [.finished, .outcomeUnknown, .startFailed]
        case .recover: events += [.finished, .outcomeUnknown]
        case .restoreCurrent: events += [.finished]
        default: break
        }
        if world.awaitsCompletion { events.append(.patienceEnded) }
        if world.isRetrying { events.append(.retryDue) }
        if world.isBackingOff { events.append(.backoffEnded) }
        if world.isBlocked { events.append(.unlocked) }
        return events
    }

    private func apply(_ event: WatchStateMachine.Event, _ world: inout World) {
        switch event {
        case .changed: world.isStale = true
        case .inspected(let finding):
            world.running = nil
            world.isBlocked = finding == .busy && !world.isStale && !world.isStopping
        case .finished, .outcomeUnknown, .startFailed: world.running = nil
        case .serverEnded: break
        case .backoffEnded: world.isBackingOff = false
        case .unlocked: world.isBlocked = false
        case .patienceEnded: world.awaitsCompletion = false
        case .retryDue:
            world.isRetrying = false
            world.isBlocked = false
        case .stopRequested: world.isStopping = true
        }
        for action in world.machine.handle(event) {
            switch action {
            case .inspect:
                #expect(world.running == nil)
                world.running = .inspect
                world.isStale = false
            case .switchOver, .restoreCurrent:
                #expect(world.running == nil && !world.isStale && !world.isStopping)
                world.running = action
            case .recover: world.running = action
            case .beginPatience: world.awaitsCompletion = true
            case .endPatience: world.awaitsCompletion = false
            case .beginRetry:
                #expect(world.running == nil && !world.isStale && !world.isStopping)
                world.isRetrying = true
            case .endRetry: world.isRetrying = false
            case .reportServerEnd: #expect(world.running == nil && !world.isStopping)
            case .beginBackoff:
                #expect(world.running == nil && !world.isStale && !world.isStopping)
                #expect(!world.isBackingOff)
                world.isBackingOff = true
            case .endBackoff: world.isBackingOff = false
            case .stop:
                #expect(world.running == nil && world.isStopping && !world.awaitsCompletion)
                #expect(!world.isRetrying && !world.isBackingOff)
                world.hasStopped = true
            }
        }
    }
}
