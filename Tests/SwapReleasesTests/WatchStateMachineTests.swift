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
        #expect(run([.changed, .looked(.different), .finished]) == [[.look], [.switchOver], []])
    }

    @Test func change_whenNothingElseIsNamed_isNoSwitch() {
        #expect(run([.changed, .looked(.same), .changed]) == [[.look], [], [.look]])
    }

    @Test func change_whileLooking_isLookedAtAgain() {
        #expect(
            run([.changed, .changed, .changed, .looked(.different), .looked(.different)])
                == [[.look], [], [], [.look], [.switchOver]])
    }

    @Test func changes_whileSwitching_areOneLookAfterIt() {
        #expect(
            run([.changed, .looked(.different), .changed, .changed, .finished, .looked(.same)])
                == [[.look], [.switchOver], [], [], [.look], []])
    }

    @Test func unreadable_whenCompletedInTime_isNotPutBack() {
        #expect(
            run([.changed, .looked(.unreadable), .changed, .looked(.different)])
                == [[.look], [.beginPatience], [.endPatience, .look], [.switchOver]])
    }

    @Test func unreadable_whenTimeIsOver_isLookedAtOnceMoreAndPutBack() {
        #expect(
            run([.changed, .looked(.unreadable), .patienceEnded, .looked(.unreadable), .finished])
                == [[.look], [.beginPatience], [.look], [.putBack], []])
    }

    @Test func unreadable_whenCompletedAtTheLastMoment_isSwitchedTo() {
        #expect(
            run([.changed, .looked(.unreadable), .patienceEnded, .looked(.different)])
                == [[.look], [.beginPatience], [.look], [.switchOver]])
    }

    @Test func lock_whenTaken_isWaitedForAndThenLookedAnew() {
        #expect(
            run([.changed, .looked(.busy), .changed, .changed, .unlocked, .looked(.same)])
                == [[.look], [.beginRetry(.lock)], [], [], [.endRetry, .look], []])
    }

    @Test func lock_whenItsEndIsNotSeen_isLookedForAnyhow() {
        #expect(
            run([.changed, .looked(.busy), .retryDue, .looked(.busy), .retryDue, .looked(.same)])
                == [
                    [.look], [.beginRetry(.lock)], [.look], [.beginRetry(.lock)], [.look], [],
                ])
    }

    @Test func doubt_isRecoveredFromAndLookedAtAgain() {
        #expect(
            run([.changed, .looked(.different), .leftInDoubt, .finished])
                == [[.look], [.switchOver], [.recover], [.look]])
        #expect(
            run([.changed, .looked(.different), .leftInDoubt, .leftInDoubt, .changed])
                == [
                    [.look], [.switchOver], [.recover], [.beginRetry(.failure)],
                    [.endRetry, .look],
                ])
    }

    @Test func look_thatFails_isTriedAgainWithoutAChange() {
        #expect(
            run([.changed, .looked(.failed), .retryDue, .looked(.different), .finished])
                == [[.look], [.beginRetry(.failure)], [.look], [.switchOver], []])
        #expect(
            run([.changed, .looked(.failed), .changed, .looked(.same), .retryDue])
                == [[.look], [.beginRetry(.failure)], [.endRetry, .look], [], []])
    }

    @Test func doubt_thatStays_isTriedAgainWithoutAChange() {
        #expect(
            run([.changed, .looked(.different), .leftInDoubt, .leftInDoubt, .retryDue])
                == [[.look], [.switchOver], [.recover], [.beginRetry(.failure)], [.look]])
        #expect(
            run([.changed, .looked(.different), .leftInDoubt, .stopRequested, .leftInDoubt])
                == [[.look], [.switchOver], [.recover], [], [.leave]])
    }

    @Test func stop_whileSwitching_waitsForItsEnd() {
        #expect(
            run([.changed, .looked(.different), .stopRequested, .changed, .finished, .changed])
                == [[.look], [.switchOver], [], [], [.leave], []])
    }

    @Test func stop_whenNothingIsUnderWay_isAtOnce() {
        #expect(run([.stopRequested, .changed]) == [[.leave], []])
        #expect(
            run([.changed, .looked(.unreadable), .stopRequested])
                == [[.look], [.beginPatience], [.endPatience, .leave]])
        #expect(
            run([.changed, .looked(.busy), .stopRequested])
                == [[.look], [.beginRetry(.lock)], [.endRetry, .leave]])
        #expect(run([.changed, .stopRequested, .looked(.different)]) == [[.look], [], [.leave]])
    }

    // MARK: - A server that dies

    private func run(
        startsAgain: Bool, _ events: [WatchStateMachine.Event]
    ) -> [[WatchStateMachine.Action]] {
        var machine = Machine(startsAgain: startsAgain)
        return events.map { machine.handle($0) }
    }

    @Test func end_whenItIsNotStartedAgain_isToldAndNextChangeStartsIt() {
        let down = Machine.Event.looked(.down(canStart: true))
        #expect(
            run(startsAgain: false, [.serverEnded(wasStable: true), down, .changed, down])
                == [[.look], [.tellEnd(startsIn: nil)], [.look], [.switchOver]])
    }

    @Test func end_whenSomebodyElseServes_isNoNews() {
        #expect(
            run(startsAgain: true, [.serverEnded(wasStable: false), .looked(.same)])
                == [[.look], []])
    }

    @Test func end_whenNobodyKnowsHowItIsStarted_isTold() {
        #expect(
            run(
                startsAgain: true,
                [.serverEnded(wasStable: false), .looked(.down(canStart: false)), .changed])
                == [[.look], [.tellEnd(startsIn: nil)], [.look]])
    }

    @Test func end_whenItIsStartedAgain_restsTwiceAsLongEachTimeAndAtMostAMinute() {
        var machine = Machine(startsAgain: true)
        var rests: [Duration] = []
        for _ in 0..<10 {
            #expect(machine.handle(.serverEnded(wasStable: false)) == [.look])
            let actions = machine.handle(.looked(.down(canStart: true)))
            guard actions.count == 2, case .beginRest(let rest) = actions[1] else {
                Issue.record("\(actions)")
                return
            }
            #expect(actions[0] == .tellEnd(startsIn: rest))
            rests.append(rest)
            #expect(machine.handle(.restOver) == [.look])
            #expect(machine.handle(.looked(.down(canStart: true))) == [.switchOver])
            #expect(machine.handle(.finished).isEmpty)
        }
        #expect(
            rests.map { $0 / .seconds(1) } == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60])
    }

    @Test(arguments: [true, false])
    func rest_afterTheServerServedForLongOrSomethingChanged_isShortAgain(isStable: Bool) {
        var machine = Machine(startsAgain: true)
        _ = machine.handle(.serverEnded(wasStable: false))
        _ = machine.handle(.looked(.down(canStart: true)))
        #expect(machine.handle(isStable ? .restOver : .changed).last == .look)
        _ = machine.handle(.looked(.down(canStart: true)))
        _ = machine.handle(.finished)
        _ = machine.handle(.serverEnded(wasStable: isStable))
        #expect(
            machine.handle(.looked(.down(canStart: true))).last == .beginRest(.milliseconds(500)))
    }

    @Test func start_thatFails_isTriedAgainOnlyWithStart() {
        let begin: [Machine.Event] = [.changed, .looked(.down(canStart: true)), .startFailed]
        #expect(run(startsAgain: false, begin) == [[.look], [.switchOver], []])
        #expect(
            run(
                startsAgain: true,
                begin + [.restOver, .looked(.down(canStart: true)), .startFailed])
                == [
                    [.look], [.switchOver], [.beginRest(.milliseconds(500))], [.look],
                    [.switchOver],
                    [.beginRest(.seconds(1))],
                ])
    }

    @Test func stop_whileAServerRests_isAtOnce() {
        #expect(
            run(
                startsAgain: true,
                [.serverEnded(wasStable: true), .looked(.down(canStart: true)), .stopRequested]
            )
            .last == [.endRest, .leave])
    }

    /// Every order of eight events: no change is lost, nothing overlaps, and what is done is only
    /// what a look has found.
    @Test func everyOrderOfEvents_losesNoChange() {
        for startsAgain in [false, true] {
            var world = World(machine: WatchStateMachine(startsAgain: startsAgain))
            explore(&world, depth: 7)
            #expect(world.visited > 19_000)
        }
    }

    private struct World {
        var machine = WatchStateMachine()
        /// The action that is being carried out, whose answer is still to come.
        var running: WatchStateMachine.Action?
        var isPatient = false
        var isRetrying = false
        var isResting = false
        var isBlocked = false
        var isStopping = false
        var hasLeft = false
        /// Something has changed since the last look began.
        var isStale = false
        var visited = 0
    }

    private func explore(_ world: inout World, depth: Int) {
        world.visited += 1
        if world.running == nil, !world.hasLeft {
            // At rest: either everything was looked at, or somebody else holds the lock.
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

    /// What can happen now.
    private func events(_ world: World) -> [WatchStateMachine.Event] {
        if world.hasLeft { return [] }
        var events: [WatchStateMachine.Event] = [
            .changed, .stopRequested, .serverEnded(wasStable: false),
        ]
        switch world.running {
        case .look:
            events += [
                .looked(.same), .looked(.different), .looked(.unreadable), .looked(.busy),
                .looked(.failed), .looked(.down(canStart: true)),
            ]
        case .switchOver: events += [.finished, .leftInDoubt, .startFailed]
        case .recover: events += [.finished, .leftInDoubt]
        case .putBack: events += [.finished]
        default: break
        }
        if world.isPatient { events.append(.patienceEnded) }
        if world.isRetrying { events.append(.retryDue) }
        if world.isResting { events.append(.restOver) }
        if world.isBlocked { events.append(.unlocked) }
        return events
    }

    private func apply(_ event: WatchStateMachine.Event, _ world: inout World) {
        switch event {
        case .changed: world.isStale = true
        case .looked(let finding):
            world.running = nil
            world.isBlocked = finding == .busy && !world.isStale && !world.isStopping
        case .finished, .leftInDoubt, .startFailed: world.running = nil
        case .serverEnded: break
        case .restOver: world.isResting = false
        case .unlocked: world.isBlocked = false
        case .patienceEnded: world.isPatient = false
        case .retryDue:
            world.isRetrying = false
            world.isBlocked = false
        case .stopRequested: world.isStopping = true
        }
        for action in world.machine.handle(event) {
            switch action {
            case .look:
                #expect(world.running == nil)
                world.running = .look
                world.isStale = false
            case .switchOver, .putBack:
                #expect(world.running == nil && !world.isStale && !world.isStopping)
                world.running = action
            case .recover: world.running = action
            case .beginPatience: world.isPatient = true
            case .endPatience: world.isPatient = false
            case .beginRetry:
                #expect(world.running == nil && !world.isStale && !world.isStopping)
                world.isRetrying = true
            case .endRetry: world.isRetrying = false
            case .tellEnd: #expect(world.running == nil && !world.isStopping)
            case .beginRest:
                #expect(world.running == nil && !world.isStale && !world.isStopping)
                #expect(!world.isResting)
                world.isResting = true
            case .endRest: world.isResting = false
            case .leave:
                #expect(world.running == nil && world.isStopping && !world.isPatient)
                #expect(!world.isRetrying && !world.isResting)
                world.hasLeft = true
            }
        }
    }
}
