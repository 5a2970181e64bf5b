// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct SuccessorStateMachineTests {
    @Test func handover_whenNothingGoesWrong_serves() {
        var machine = SuccessorStateMachine()
        #expect(machine.handle(.begin) == [.setDeadline(.answer), .sendHello])
        #expect(
            machine.handle(.received(Self.offer(1, of: 2, 250, total: 253, hasState: true)))
                == [.takeBatch(1), .sendTaken(batch: 1), .setDeadline(.answer)])
        #expect(
            machine.handle(.received(Self.offer(2, of: 2, 3, total: 253, hasState: true)))
                == [.takeBatch(2), .sendTaken(batch: 2), .setDeadline(.answer)])
        #expect(
            machine.handle(.received(.state(size: 5)))
                == [.takeState, .sendTakenState, .clearDeadline, .inheritanceComplete])
        #expect(machine.handle(.applicationReady) == [.setDeadline(.commit), .sendReady])
        #expect(machine.handle(.received(.committed)) == [.clearDeadline, .startAccepting])
        #expect(
            machine.handle(.started) == [.sendAccepting, .serving(predecessorAlive: true)])
        #expect(machine.handle(.received(.draining)) == [])
        #expect(machine.handle(.received(.drained)) == [])
        #expect(machine.handle(.endOfFile) == [.predecessorGone])
        #expect(machine.state == .serving(predecessorAlive: false))
    }

    @Test func ready_whenPredecessorDied_accepts() {
        var machine = Self.machine(at: 2)
        #expect(machine.handle(.endOfFile) == [.predecessorGone])
        #expect(machine.state == .orphaned)
        #expect(machine.handle(.applicationReady) == [.startAccepting])
        #expect(machine.handle(.started) == [.serving(predecessorAlive: false)])
    }

    @Test func endOfFile_afterReady_accepts() {
        var machine = Self.machine(at: 3)
        #expect(
            machine.handle(.endOfFile) == [.clearDeadline, .predecessorGone, .startAccepting])
    }

    @Test func endOfFile_whileAcceptorsStart_goesOn() {
        var machine = Self.machine(at: 4)
        #expect(machine.handle(.endOfFile) == [.predecessorGone])
        #expect(machine.handle(.started) == [.serving(predecessorAlive: false)])
        #expect(machine.handle(.endOfFile) == [])
    }

    @Test func endOfFile_beforeEverythingIsTaken_fails() {
        var machine = Self.machine(at: 1)
        #expect(machine.handle(.endOfFile).failureCode == .channel)
    }

    @Test func abort_beforeAccepting_fails() {
        let failure = Failure(code: .operator, reason: "enough")
        for stage in 1...4 {
            var machine = Self.machine(at: stage)
            #expect(
                machine.handle(.received(.abort(failure))) == [.clearDeadline, .fail(failure)])
            #expect(machine.handle(.endOfFile) == [])
        }
    }

    @Test func abort_thatCrossedWithAccepting_isIgnored() {
        var machine = Self.machine(at: 5)
        let failure = Failure(code: .timeout, reason: "too late")
        #expect(machine.handle(.received(.abort(failure))) == [])
        #expect(machine.state == .serving(predecessorAlive: true))
    }

    @Test func deadline_whenPredecessorIsSilent_aborts() {
        for stage in [1, 3] {
            var machine = Self.machine(at: stage)
            #expect(machine.handle(.deadlineExpired).abortCode == .timeout)
        }
    }

    @Test func application_whenItRefuses_aborts() {
        let failure = Failure(code: .state, reason: "too new")
        for stage in 2...4 {
            var machine = Self.machine(at: stage)
            #expect(
                machine.handle(.applicationFailed(failure))
                    == [.clearDeadline, .sendAbort(failure), .fail(failure)])
        }
    }

    @Test func application_whenItFailsAndPredecessorIsDead_tellsNobody() {
        let failure = Failure(code: .application, reason: "no")
        var machine = Self.machine(at: 2)
        machine.advance([.endOfFile])
        #expect(machine.handle(.applicationFailed(failure)) == [.clearDeadline, .fail(failure)])
    }

    @Test(arguments: [
        (offer(2, of: 2, 1, total: 1, hasState: false), FailureCode.unexpected),
        (offer(1, of: 1, 2, total: 3, hasState: false), .malformed),
        (offer(1, of: 2, 4, total: 3, hasState: false), .malformed),
        (.state(size: 1), .unexpected), (.committed, .unexpected), (.draining, .unexpected),
        (.ready, .unexpected), (.malformed("x"), .malformed), (.unsupportedVersion(2), .version),
        (.descriptorMismatch("x"), .descriptor), (.misplaced(.drain), .unexpected),
    ])
    func firstMessage_whenWrong_aborts(message: ChannelMessage, code: FailureCode) {
        var machine = Self.machine(at: 1)
        #expect(machine.handle(.received(message)).abortCode == code)
    }

    @Test(arguments: [
        (offer(1, of: 2, 1, total: 3, hasState: false), FailureCode.unexpected),
        (offer(2, of: 3, 2, total: 3, hasState: false), .malformed),
        (offer(2, of: 2, 2, total: 4, hasState: false), .malformed),
        (offer(2, of: 2, 2, total: 3, hasState: true), .malformed),
        (offer(2, of: 2, 1, total: 3, hasState: false), .malformed),
        (offer(2, of: 2, 3, total: 3, hasState: false), .malformed),
    ])
    func secondBatch_whenItContradictsTheFirst_aborts(message: ChannelMessage, code: FailureCode) {
        var machine = Self.machine(at: 1)
        machine.advance([.received(Self.offer(1, of: 2, 1, total: 3, hasState: false))])
        #expect(machine.handle(.received(message)).abortCode == code)
    }

    @Test func wrongMessage_afterCommitted_isNoReasonToLeaveNobodyServing() {
        for stage in 4...5 {
            var machine = Self.machine(at: stage)
            #expect(machine.handle(.received(.malformed("x"))) == [])
            #expect(machine.handle(.received(.committed)) == [])
        }
    }

    @Test func unknownKind_isRefusedAndForgotten() {
        for stage in 1...5 {
            var machine = Self.machine(at: stage)
            let before = machine
            #expect(
                machine.handle(.received(.unknown("bake"))) == [.sendRefusedUnknownKind("bake")])
            #expect(machine.handle(.received(.refused(Failure(code: .busy, reason: "x")))) == [])
            #expect(machine == before)
        }
    }

    @Test func applicationReady_beforeEverythingIsTaken_isIgnored() {
        var machine = Self.machine(at: 1)
        #expect(machine.handle(.applicationReady) == [])
    }

    private static func offer(
        _ batch: Int, of batches: Int, _ descriptors: Int, total: Int, hasState: Bool
    ) -> ChannelMessage {
        .offer(
            batch: batch, of: batches, descriptors: descriptors, total: total, hasState: hasState)
    }

    private static func machine(at stage: Int) -> SuccessorStateMachine {
        let events: [SuccessorStateMachine.Event] = [
            .begin, .received(offer(1, of: 1, 2, total: 2, hasState: false)), .applicationReady,
            .received(.committed), .started,
        ]
        var machine = SuccessorStateMachine()
        machine.advance(Array(events.prefix(stage)))
        return machine
    }
}
