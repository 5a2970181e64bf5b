// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

/// Upgrades: who may ask, what is undone, and what is answered.
@Suite struct LifecycleUpgradeTests {
    typealias Lifecycle = GenerationLifecycle

    @Test func upgrade_whileServing_collectsTheStateAndStartsASuccessor() {
        var life = Lifecycle.serving()
        #expect(life.handle(.upgradeRequested(.upgrade)) == [.inspectSurroundings(.upgrade)])
        let actions = life.handle(
            .inspected(.upgrade, Lifecycle.Surroundings(), ready: .seconds(7)))
        #expect(actions == [.collectState(within: .seconds(7))])
        #expect(life.handle(.stateCollected) == [.beginAttempt(.upgrade, isRescue: false)])
    }

    @Test func upgrade_underAManager_hasItWait() {
        var life = Lifecycle.serving(.parent)
        let actions = life.handle(
            .inspected(.upgrade, Lifecycle.Surroundings(), ready: .seconds(7)))
        #expect(actions.first == .extendTimeout(.seconds(29)))
        life.advance([.stateCollected])
        #expect(life.handle(.attemptEnded(.any)).first == .endExtensions)
    }

    @Test func upgrade_whileOneRuns_isRefusedWithItsRequest() {
        var life = Lifecycle.upgrading()
        let refused: [Lifecycle.Action] = [.refuseUpgrade(.other, .busy(.upgrade))]
        #expect(life.handle(.upgradeRequested(.other)) == refused)
        // Asked for while the first one's surroundings were looked at.
        #expect(
            life.handle(.inspected(.other, Lifecycle.Surroundings(), ready: nil)) == refused)
    }

    @Test func upgrade_whereNotServing_isRefusedWithTheState() {
        var starting = Lifecycle.successor()
        #expect(
            starting.handle(.upgradeRequested(.other))
                == [.refuseUpgrade(.other, .notServing(.starting))])
        var draining = Lifecycle.succeeded()
        #expect(
            draining.handle(.upgradeRequested(.other))
                == [.refuseUpgrade(.other, .notServing(.draining(deadline: .seconds(30))))])
        var resuming = Lifecycle.standingBy()
        resuming.advance([.resumptionNeeded, .attemptEnded(.any)])
        #expect(
            resuming.handle(.upgradeRequested(.other))
                == [.refuseUpgrade(.other, .notServing(.standby))])
    }

    @Test func upgrade_belowAWaitingParentOrWithTooManyGenerations_isRefused() {
        var life = Lifecycle.serving(maximumGenerations: 3)
        var surroundings = Lifecycle.Surroundings(otherGenerations: 1)
        surroundings.hasWaitingParent = true
        #expect(
            life.handle(.inspected(.upgrade, surroundings, ready: nil))
                == [.refuseUpgrade(.upgrade, .parent)])
        surroundings = Lifecycle.Surroundings(otherGenerations: 2)
        #expect(
            life.handle(.inspected(.upgrade, surroundings, ready: nil))
                == [.refuseUpgrade(.upgrade, .generations(maximum: 3))])
        surroundings = Lifecycle.Surroundings(otherGenerations: 1)
        #expect(
            life.handle(.inspected(.upgrade, surroundings, ready: nil))
                == [.collectState(within: .seconds(60))])
    }

    @Test func state_thatCannotBeWritten_endsTheUpgrade() {
        var life = Lifecycle.serving()
        life.advance([.inspected(.upgrade, Lifecycle.Surroundings(), ready: nil)])
        #expect(
            life.handle(.stateFailed(reason: "full"))
                == [.endUpgrade(.upgrade, .stateFailed(reason: "full"))])
        #expect(life.phase == .serving)
    }

    // MARK: The pause

    @Test func pause_withoutAManager_beginsAtOnce() {
        var life = Lifecycle.upgrading()
        #expect(
            life.handle(.successorReady) == [.setTimer(.pause, .seconds(4)), .pauseAcceptors])
        #expect(
            life.handle(.pauseEnded(failure: nil)) == [.clearTimer(.pause), .answerPause(nil)])
        #expect(life.handle(.committed) == [.enter(.standby)])
    }

    @Test func pause_underAManager_comesAfterTheIntroduction() {
        var life = Lifecycle.upgrading(.parent)
        #expect(
            life.handle(.successorReady) == [
                .relinquishStore, .stopPings, .endExtensions,
                .introduceSuccessor(within: .seconds(3)),
            ])
        #expect(life.handle(.introduced).contains(.pauseAcceptors))
    }

    @Test func pause_underADistantManager_isTold() {
        var life = Lifecycle.upgrading(.distant)
        let actions = life.handle(.successorReady)
        #expect(actions.contains(.notify(.successorIsUnsupervised)))
        #expect(actions.last == .pauseAcceptors)
    }

    @Test func pause_thatIsNotWantedAnyMore_isNotBegun() {
        var life = Lifecycle.upgrading(.parent)
        life.advance([.successorReady, .pauseAbandoned])
        #expect(life.handle(.introduced) == [.answerPause(.upgradeIsOver)])
        life = .upgrading(.parent)
        life.advance([.successorReady])
        #expect(
            life.handle(.introductionFailed(reason: "deaf"))
                == [.answerPause(.introduction("deaf"))])
    }

    @Test func pause_thatIsOverdue_countsAsFailed() {
        var life = Lifecycle.upgrading()
        life.advance([.successorReady])
        #expect(life.handle(.timerExpired(.pause)) == [.answerPause(.overdue(.seconds(4)))])
        #expect(life.handle(.pauseEnded(failure: nil)) == [])
        #expect(
            life.handle(.resumptionNeeded) == [.setTimer(.resume, .seconds(5)), .resumeAcceptors])
    }

    @Test func resumption_afterAFailedUpgrade_takesTheMainProcessBack() {
        var life = Lifecycle.standingBy(.parent)
        life.advance([.resumptionNeeded])
        #expect(
            life.handle(.attemptEnded(.any)) == [.endExtensions, .endUpgrade(.upgrade, .failed)])
        #expect(life.handle(.timerExpired(.resume)) == [.notify(.resumptionHangs)])
        #expect(
            life.handle(.resumed) == [
                .clearTimer(.resume), .enter(.serving), .takeBackMainProcess(isServing: true),
            ])
        #expect(life.phase == .serving)
        #expect(life.holdsLock)
    }

    // MARK: Abort

    @Test func abort_whileTheStateIsWritten_isAnsweredWhenTheWaitEnds() {
        var life = Lifecycle.serving()
        life.advance([.inspected(.upgrade, Lifecycle.Surroundings(), ready: nil)])
        #expect(life.handle(.abortRequested(.abort)) == [.cancelCollection(.aborted(.abort))])
        #expect(
            life.handle(.stateFailed(reason: "cancelled")) == [
                .endUpgrade(.upgrade, .calledOff(.aborted(.abort))), .answerAbort(.abort),
            ])
    }

    @Test func abort_ofAnAttempt_isAnsweredWhenThatIsUndone() {
        var life = Lifecycle.upgrading()
        #expect(life.handle(.abortRequested(.abort)) == [.cancelAttempt(.aborted(.abort))])
        #expect(life.handle(.abortRequested(.other)) == [.cancelAttempt(.aborted(.abort))])
        #expect(
            life.handle(.attemptEnded(.any)) == [
                .endUpgrade(.upgrade, .failed), .answerAbort(.abort), .answerAbort(.other),
            ])
    }

    @Test func abort_thatCrossesTheSuccess_isRefused() {
        var life = Lifecycle.standingBy()
        life.advance([.abortRequested(.abort), .succeeded(drainDeadline: nil)])
        #expect(life.handle(.abortRequested(.other)) == [.refuseAbort(.other, .tooLate)])
        #expect(
            life.handle(.attemptEnded(nil)) == [
                .endUpgrade(.upgrade, .succeeded), .refuseAbort(.abort, .tooLate),
            ])
        #expect(life.handle(.abortRequested(.other)) == [.refuseAbort(.other, .tooLate)])
        life.advance([.drainEnded])
        #expect(life.handle(.abortRequested(.other)) == [.refuseAbort(.other, .tooLate)])
    }

    @Test func abort_withoutAnUpgrade_isRefused() {
        var serving = Lifecycle.serving()
        #expect(
            serving.handle(.abortRequested(.abort))
                == [.refuseAbort(.abort, .noUpgrade(isSuccessor: false))])
        var successor = Lifecycle.successor()
        #expect(
            successor.handle(.abortRequested(.abort))
                == [.refuseAbort(.abort, .noUpgrade(isSuccessor: true))])
        successor.advance([.predecessorGone])
        #expect(
            successor.handle(.abortRequested(.abort))
                == [.refuseAbort(.abort, .noUpgrade(isSuccessor: false))])
    }

    // MARK: Reload

    @Test func reload_whileServing_reachesTheApplication() {
        var life = Lifecycle.serving()
        #expect(life.handle(.reloadRequested(.other)) == [.reload(.other)])
        #expect(life.handle(.reloadEnded(.any)) == [.announceReloadEnd(.any)])
    }

    @Test func reload_duringAnUpgradeOrADrain_isRefused() {
        var life = Lifecycle.upgrading()
        #expect(
            life.handle(.reloadRequested(.other))
                == [.refuseReload(.other, .busy(.upgrade), isForManager: true)])
        life = .succeeded()
        #expect(
            life.handle(.reloadRequested(.other)) == [
                .refuseReload(
                    .other, .notServing(.draining(deadline: .seconds(30))), isForManager: false)
            ])
        #expect(life.handle(.reloadEnded(nil)) == [])
    }
}
