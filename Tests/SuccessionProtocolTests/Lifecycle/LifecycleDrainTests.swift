// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

/// Drains, and replacements of a successor that died meanwhile.
@Suite struct LifecycleDrainTests {
    typealias Lifecycle = GenerationLifecycle

    @Test func drain_whileServing_isTheEndOfTheLine() {
        var life = Lifecycle.serving(.parent)
        #expect(
            life.handle(.drainRequested(deadline: .seconds(5))) == [
                .endReloads(hasSuccessor: false), .announceStopping,
                .extendTimeout(.seconds(5)), .beginDrain(deadline: .seconds(5), isLast: true),
                .enter(.draining(deadline: .seconds(5))),
                .stopAcceptors(removing: .all, keepsListeners: false),
            ])
        #expect(life.holdsLock)
    }

    @Test func drain_askedForAgain_isShortened() {
        var life = Lifecycle.serving()
        life.advance([.drainRequested(deadline: nil)])
        #expect(
            life.handle(.drainRequested(deadline: .zero)) == [.shortenDrain(to: .zero)])
        life.advance([.drainEnded])
        #expect(life.handle(.drainRequested(deadline: .zero)) == [])
    }

    @Test func drain_inTheMiddleOfAnUpgrade_callsThatOffAndFollows() {
        var life = Lifecycle.upgrading()
        #expect(
            life.handle(.drainRequested(deadline: .seconds(9))) == [.cancelAttempt(.toldToLeave)])
        #expect(
            life.handle(.drainRequested(deadline: .seconds(3))) == [.cancelAttempt(.toldToLeave)])
        let actions = life.handle(.attemptEnded(.any))
        #expect(actions.first == .endUpgrade(.upgrade, .failed))
        #expect(actions.contains(.beginDrain(deadline: .seconds(3), isLast: true)))
    }

    @Test func drain_thatCrossesTheSuccess_shortensTheDrain() {
        var life = Lifecycle.standingBy()
        life.advance([
            .drainRequested(deadline: .seconds(3)), .succeeded(drainDeadline: .seconds(60)),
        ])
        #expect(
            life.handle(.attemptEnded(nil)) == [
                .endUpgrade(.upgrade, .succeeded), .shortenDrain(to: .seconds(3)),
            ])
    }

    @Test func drain_whileTheAcceptorsComeBack_stands() {
        var life = Lifecycle.standingBy(.parent)
        life.advance([.resumptionNeeded, .attemptEnded(.any), .drainRequested(deadline: nil)])
        #expect(
            life.handle(.resumed)
                == [.clearTimer(.resume), .takeBackMainProcess(isServing: false)])
        #expect(life.isDraining)
    }

    @Test func success_releasesTheLockAndKeepsTheListeners() {
        var life = Lifecycle.standingBy()
        let actions = life.handle(.succeeded(drainDeadline: .seconds(8)))
        #expect(actions.first == .releaseLock)
        #expect(actions.contains(.beginDrain(deadline: .seconds(8), isLast: false)))
        #expect(actions.last == .stopAcceptors(removing: .none, keepsListeners: true))
        life.advance([.attemptEnded(nil)])
        #expect(life.handle(.successorLeft) == [.letGoOfListeners])
        #expect(life.handle(.successorLeft) == [])
        #expect(life.handle(.successorDied(.rescue)) == [])
    }

    // MARK: A successor that dies

    @Test func death_ofTheSuccessor_startsAnotherUnderTheLock() {
        var life = Lifecycle.succeeded()
        #expect(life.handle(.successorDied(.rescue)) == [.takeLock])
        #expect(
            life.handle(.lockTaken(.taken)) == [
                .notify(.rescueBegins), .holdDrain, .collectState(within: .seconds(60)),
            ])
        #expect(
            life.handle(.stateFailed(reason: "full"))
                == [.beginAttempt(.rescue, isRescue: true)])
        #expect(
            life.handle(.upgradeRequested(.other))
                == [.refuseUpgrade(.other, .busy(.rescue))])
        #expect(
            life.handle(.attemptEnded(nil))
                == [.releaseLock, .notify(.rescueEnds(.succeeded)), .releaseDrain])
        #expect(!life.holdsLock)
    }

    @Test func death_whenSomebodyElseHasTheLock_isTheirs() {
        var life = Lifecycle.succeeded()
        life.advance([.successorDied(.rescue)])
        #expect(
            life.handle(.lockTaken(.held)) == [.notify(.lockIsNotTaken(.held)), .letGoOfListeners])
    }

    @Test func death_underAManager_isTheManagers() {
        var life = Lifecycle.succeeded(.parent)
        #expect(life.handle(.successorDied(.rescue)) == [.notify(.bereft)])
        #expect(
            life.handle(.drainRequested(deadline: nil)) == [.shortenDrain(to: .seconds(2))])
        life = .succeeded(.parent)
        life.advance([.drainRequested(deadline: nil)])
        #expect(
            life.handle(.successorDied(.rescue))
                == [.notify(.bereft), .shortenDrain(to: .seconds(2))])
    }

    @Test func rescue_thatFails_isTriedThreeTimesASecondApart() {
        var life = Lifecycle.rescuing()
        for _ in 2...3 {
            #expect(
                life.handle(.attemptEnded(.any))
                    == [.notify(.rescueFails(.any)), .setTimer(.rescue, .seconds(1))])
            #expect(
                life.handle(.timerExpired(.rescue)) == [.collectState(within: .seconds(60))])
            life.advance([.stateCollected])
        }
        #expect(
            life.handle(.attemptEnded(.any)) == [
                .notify(.rescueEnds(.failed(.any))), .removeServing, .releaseLock,
                .letGoOfListeners, .releaseDrain,
            ])
    }

    /// A program that serves for a moment and dies is not started for as long as the drain lasts.
    @Test func rescue_thatSucceeds_countsToo() {
        var life = Lifecycle.rescuing()
        for _ in 2...3 {
            life.advance([
                .attemptEnded(nil), .successorDied(.rescue), .lockTaken(.taken), .stateCollected,
            ])
        }
        life.advance([.attemptEnded(nil), .successorDied(.rescue)])
        let actions = life.handle(.lockTaken(.taken))
        #expect(actions.first == .notify(.rescueEnds(.usedUp)))
        #expect(actions.contains(.releaseLock))
        #expect(life.handle(.successorDied(.rescue)) == [])
    }

    @Test func abort_ofARescue_endsIt() {
        var life = Lifecycle.rescuing()
        #expect(life.handle(.abortRequested(.abort)) == [.cancelAttempt(.aborted(.abort))])
        let actions = life.handle(.attemptEnded(.any))
        #expect(actions.first == .notify(.rescueEnds(.calledOff(.aborted(.abort)))))
        #expect(actions.suffix(2) == [.answerAbort(.abort), .releaseDrain])
        #expect(
            life.handle(.abortRequested(.other))
                == [.refuseAbort(.other, .noUpgrade(isSuccessor: false))])
    }

    @Test func abort_betweenTwoRescues_isAnsweredAtOnce() {
        var life = Lifecycle.rescuing()
        life.advance([.attemptEnded(.any)])
        let actions = life.handle(.abortRequested(.abort))
        #expect(actions.first == .clearTimer(.rescue))
        #expect(actions.contains(.answerAbort(.abort)))
        #expect(life.handle(.timerExpired(.rescue)) == [])
    }

    /// A generation that is told to leave starts no other one.
    @Test func drain_duringARescue_callsThatOff() {
        var life = Lifecycle.rescuing()
        #expect(
            life.handle(.drainRequested(deadline: .zero))
                == [.shortenDrain(to: .zero), .cancelAttempt(.toldToLeave)])
        let actions = life.handle(.attemptEnded(.any))
        #expect(actions.first == .notify(.rescueEnds(.calledOff(.toldToLeave))))
        #expect(actions.last == .releaseDrain)
    }

    @Test func drain_beforeTheSuccessorDies_startsNoOther() {
        var life = Lifecycle.succeeded()
        life.advance([.drainRequested(deadline: nil), .successorDied(.rescue)])
        let actions = life.handle(.lockTaken(.taken))
        #expect(actions.first == .notify(.rescueEnds(.unwanted)))
        #expect(actions.contains(.releaseLock))
    }
}
