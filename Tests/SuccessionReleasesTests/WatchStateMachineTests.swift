// SPDX-License-Identifier: Apache-2.0

import SuccessionReleases
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

    /// Every order of eight events: no change is lost, nothing overlaps, and what is done is only
    /// what a look has found.
    @Test func everyOrderOfEvents_losesNoChange() {
        var world = World()
        explore(&world, depth: 8)
        #expect(world.visited > 19_000)
    }

    private struct World {
        var machine = WatchStateMachine()
        /// The action that is being carried out, whose answer is still to come.
        var running: WatchStateMachine.Action?
        var isPatient = false
        var isRetrying = false
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
        var events: [WatchStateMachine.Event] = [.changed, .stopRequested]
        switch world.running {
        case .look:
            events += [
                .looked(.same), .looked(.different), .looked(.unreadable), .looked(.busy),
                .looked(.failed),
            ]
        case .switchOver, .recover: events += [.finished, .leftInDoubt]
        case .putBack: events += [.finished]
        default: break
        }
        if world.isPatient { events.append(.patienceEnded) }
        if world.isRetrying { events.append(.retryDue) }
        if world.isBlocked { events.append(.unlocked) }
        return events
    }

    private func apply(_ event: WatchStateMachine.Event, _ world: inout World) {
        switch event {
        case .changed: world.isStale = true
        case .looked(let finding):
            world.running = nil
            world.isBlocked = finding == .busy && !world.isStale && !world.isStopping
        case .finished, .leftInDoubt: world.running = nil
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
            case .leave:
                #expect(world.running == nil && world.isStopping && !world.isPatient)
                #expect(!world.isRetrying)
                world.hasLeft = true
            }
        }
    }
}
