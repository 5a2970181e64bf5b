// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

/// The beginning: of a first generation, and of a successor.
@Suite struct LifecycleSuccessorTests {
    typealias Lifecycle = GenerationLifecycle

    @Test func first_whenReady_accepts() {
        var life = Lifecycle(.first)
        #expect(life.handle(.began(.parent)) == [.extendTimeout(.seconds(60))])
        #expect(life.handle(.applicationReady) == [.startPings, .startAcceptors])
        #expect(life.handle(.acceptorsStarted) == [.enter(.serving), .announceServing])
        #expect(life.phase == .serving)
    }

    @Test func first_toldToLeaveBeforeItIsReady_neverAccepts() {
        var life = Lifecycle(.first)
        let actions = life.handle(.drainRequested(deadline: nil))
        #expect(actions.contains(.stopAcceptors(removing: .all, keepsListeners: false)))
        #expect(life.handle(.applicationReady) == [.refuseTurn])
    }

    @Test func first_toldToLeaveWhileItsAcceptorsStart_doesNotServe() {
        var life = Lifecycle(.first)
        life.advance([.applicationReady, .drainRequested(deadline: nil)])
        #expect(life.handle(.acceptorsStarted) == [.refuseTurn])
        #expect(!life.hasAccepted)
    }

    @Test func successor_acceptsWhenItIsItsTurn() {
        var life = Lifecycle.successor(.parent)
        #expect(life.handle(.began(.parent)) == [])
        #expect(life.handle(.applicationReady) == [.sayReady])
        #expect(life.handle(.turn) == [.startPings, .startAcceptors])
        #expect(life.handle(.turn) == [])
        life.advance([.acceptorsStarted])
        let actions = life.handle(.drainRequested(deadline: nil))
        #expect(actions.first == .sayLeaving)
        #expect(!actions.contains(.refuseToSucceed))
    }

    @Test func successor_toldToLeaveWhileItIsAwaited_refuses() {
        var life = Lifecycle.successor(.parent)
        life.advance([.applicationReady])
        let actions = life.handle(.drainRequested(deadline: nil))
        #expect(actions.contains(.beginDrain(deadline: .seconds(30), isLast: false)))
        #expect(actions.contains(.stopAcceptors(removing: .ownPaths, keepsListeners: false)))
        #expect(actions.last == .refuseToSucceed)
        #expect(life.handle(.turn) == [.refuseTurn])
    }

    @Test func successor_ofADeadPredecessor_isTheLastOfItsLine() {
        var life = Lifecycle.successor()
        #expect(life.handle(.predecessorGone) == [.removeRemains])
        let actions = life.handle(.drainRequested(deadline: nil))
        #expect(actions.contains(.beginDrain(deadline: .seconds(30), isLast: true)))
        #expect(!actions.contains(.refuseToSucceed))
    }

    @Test func failure_afterReady_givesTheMainProcessBackFirst() {
        var life = Lifecycle.successor(.parent)
        life.advance([.applicationReady])
        #expect(
            life.handle(.handoverFailed)
                == [.stopPings, .giveBackMainProcess(within: .milliseconds(500))])
        #expect(life.handle(.mainProcessGivenBack) == [.endHandover])
    }

    @Test func failure_whereNothingWasGiven_endsTheHandover() {
        var early = Lifecycle.successor(.parent)
        #expect(early.handle(.handoverFailed) == [.endHandover])
        var unsupervised = Lifecycle.successor(.distant)
        unsupervised.advance([.applicationReady])
        #expect(unsupervised.handle(.handoverFailed) == [.endHandover])
        var orphan = Lifecycle.successor(.parent)
        orphan.advance([.applicationReady, .predecessorGone, .turn, .acceptorsFailed])
        #expect(orphan.handle(.handoverFailed) == [.endHandover])
    }

    @Test func deadlines_ofEveryMachine_haveALength() {
        let deadlines = HandoverDeadlines()
        #expect(deadlines.length(of: PredecessorStateMachine.Deadline.accepting) == .seconds(5))
        #expect(deadlines.length(of: SuccessorStateMachine.Deadline.commit) == .seconds(15))
        #expect(deadlines.length(of: GenerationLifecycle.Timer.rescue) == .seconds(1))
        // The failure of a pause has to be told before the attempt loses patience.
        #expect(deadlines.pause < deadlines.accepting)
        // A predecessor that ends its successor is heard before that gives up by itself.
        #expect(deadlines.introduction + deadlines.pause < deadlines.commit)
    }
}
