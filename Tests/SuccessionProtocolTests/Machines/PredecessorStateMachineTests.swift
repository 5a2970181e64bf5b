// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct PredecessorStateMachineTests {
    @Test func batches_threeAtMost_areUnderWay() {
        var machine = PredecessorStateMachine(batches: [2, 2, 2, 2, 1], stateSize: nil)
        _ = machine.handle(.begin)
        _ = machine.handle(.spawned)
        #expect(
            machine.handle(.received(.hello(features: [])))
                == [.sendOffer(batch: 1), .sendOffer(batch: 2), .sendOffer(batch: 3)])
        #expect(
            machine.handle(.received(.taken(batch: 1, descriptors: 2))) == [.sendOffer(batch: 4)])
        #expect(
            machine.handle(.received(.taken(batch: 2, descriptors: 2))) == [.sendOffer(batch: 5)])
        #expect(machine.handle(.received(.taken(batch: 3, descriptors: 2))) == [])
    }

    @Test func upgrade_whenNothingGoesWrong_succeeds() {
        var machine = PredecessorStateMachine(batches: [250, 3], stateSize: 10)
        #expect(
            machine.handle(.begin)
                == [.step(.start, .started), .setDeadline(.ready), .spawn])
        #expect(machine.handle(.spawned) == [.step(.start, .done), .step(.offer, .started)])
        #expect(
            machine.handle(.received(.hello(features: ["state"])))
                == [.sendOffer(batch: 1), .sendOffer(batch: 2)])
        #expect(machine.willSendState)
        #expect(machine.handle(.received(.taken(batch: 1, descriptors: 250))) == [])
        #expect(machine.handle(.received(.taken(batch: 2, descriptors: 3))) == [.sendState])
        #expect(
            machine.handle(.received(.takenState(size: 10)))
                == [.step(.offer, .done), .step(.ready, .started)])
        #expect(
            machine.handle(.received(.ready)) == [
                .step(.ready, .done), .step(.commit, .started), .setDeadline(.accepting),
                .pauseAccepting,
            ])
        #expect(machine.handle(.paused) == [.setDeadline(.accepting), .sendCommitted])
        #expect(
            machine.handle(.received(.accepting))
                == [.clearDeadline, .step(.commit, .done), .drain, .letGo, .succeeded])
        #expect(machine.handle(.endOfFile) == [])
        #expect(machine.handle(.successorExited) == [])
        #expect(machine.state == .relieved)
    }

    @Test(
        arguments: [
            (nil, ["state", "memfd"], false), (0, ["state"], true), (49_152, ["state"], true),
            (49_152, ["memfd"], false), (49_153, ["state"], false), (49_153, ["memfd"], true),
            (1, [], false),
        ] as [(Int?, [String], Bool)])
    func state_whenSuccessorNamedItsFeatures_isSentOnlyWithThem(
        size: Int?, features: [String], isSent: Bool
    ) {
        var machine = PredecessorStateMachine(batches: [1], stateSize: size)
        machine.advance([.begin, .spawned, .received(.hello(features: features))])
        #expect(machine.willSendState == isSent)
        let actions = machine.handle(.received(.taken(batch: 1, descriptors: 1)))
        #expect(actions.contains(.sendState) == isSent)
    }

    @Test func offer_whenThereIsNothing_isOneEmptyBatch() {
        var machine = PredecessorStateMachine(batches: [], stateSize: nil)
        machine.advance([.begin, .spawned, .received(.hello(features: []))])
        machine.advance([.received(.taken(batch: 1, descriptors: 0))])
        #expect(machine.state == .awaitingReady)
    }

    @Test func spawn_whenItFails_failsWithoutASuccessor() {
        let failure = Failure(code: .start, reason: "no such file")
        var machine = PredecessorStateMachine(batches: [1], stateSize: nil)
        machine.advance([.begin])
        #expect(machine.handle(.spawnFailed(failure)) == [.clearDeadline, .failed(failure)])
    }

    /// execve may hang for ever.
    @Test func cancel_whileStarting_waitsForNothing() {
        var machine = PredecessorStateMachine(batches: [1], stateSize: nil)
        machine.advance([.begin])
        let failure = Failure(code: .operator, reason: "enough")
        #expect(
            machine.handle(.cancelled("enough"))
                == [.clearDeadline, .abandonSpawn, .failed(failure)])
        #expect(machine.handle(.spawned) == [])
    }

    @Test func deadline_whileStarting_waitsForNothing() {
        var machine = PredecessorStateMachine(batches: [1], stateSize: nil)
        machine.advance([.begin])
        let actions = machine.handle(.deadlineExpired)
        #expect(actions.contains(.abandonSpawn))
        #expect(actions.failureCode == .timeout)
        #expect(machine.handle(.spawned) == [])
    }

    @Test(arguments: [(2, 2), (1, 1), (0, 2)])
    func taken_whenNumberOrCountIsWrong_aborts(batch: Int, descriptors: Int) {
        var machine = Self.machine(at: 3)
        let actions = machine.handle(.received(.taken(batch: batch, descriptors: descriptors)))
        #expect(actions.abortCode == .acknowledgement)
    }

    @Test func takenState_whenSizeIsWrong_aborts() {
        var machine = PredecessorStateMachine(batches: [0], stateSize: 10)
        machine.advance([.begin, .spawned, .received(.hello(features: ["state"]))])
        machine.advance([.received(.taken(batch: 1, descriptors: 0))])
        #expect(machine.handle(.received(.takenState(size: 9))).abortCode == .acknowledgement)
    }

    @Test(arguments: [
        (ChannelMessage.malformed("x"), FailureCode.malformed),
        (.unsupportedVersion(2), .version), (.descriptorMismatch("x"), .descriptor),
        (.misplaced(.status), .unexpected), (.committed, .unexpected),
        (.takenState(size: 1), .unexpected), (.accepting, .unexpected),
    ])
    func wrongMessage_beforeReady_aborts(message: ChannelMessage, code: FailureCode) {
        for stage in 2...4 {
            var machine = Self.machine(at: stage)
            let actions = machine.handle(.received(message))
            #expect(actions.abortCode == code)
            #expect(actions.last == .terminateSuccessor)
        }
    }

    @Test func ready_beforeEverythingIsTaken_aborts() {
        for stage in 2...3 {
            var machine = Self.machine(at: stage)
            #expect(machine.handle(.received(.ready)).abortCode == .unexpected)
        }
    }

    @Test func unknownKind_isRefusedAndForgotten() {
        for stage in 2...6 {
            var machine = Self.machine(at: stage)
            let before = machine
            #expect(
                machine.handle(.received(.unknown("bake"))) == [.sendRefusedUnknownKind("bake")])
            #expect(machine == before)
        }
    }

    @Test func refused_isNeverAnswered() {
        let refusal = Failure(code: .unknownKind, reason: "x")
        for stage in 2...6 {
            var machine = Self.machine(at: stage)
            #expect(machine.handle(.received(.refused(refusal))) == [])
        }
    }

    @Test func deadline_whenSuccessorIgnoresEverything_killsIt() {
        var machine = Self.machine(at: 4)
        let actions = machine.handle(.deadlineExpired)
        #expect(actions.abortCode == .timeout)
        #expect(actions.dropFirst() == [.setDeadline(.death), .terminateSuccessor])
        #expect(
            machine.handle(.deadlineExpired) == [.killSuccessor, .setDeadline(.burial)])
        #expect(machine.handle(.endOfFile) == [])
        #expect(machine.handle(.successorExited).failureCode == .timeout)
    }

    @Test func abort_fromSuccessor_leavesItASecondToExit() {
        let failure = Failure(code: .state, reason: "too old")
        var machine = Self.machine(at: 4)
        #expect(machine.handle(.received(.abort(failure))) == [.setDeadline(.death)])
        #expect(machine.handle(.endOfFile) == [])
        #expect(machine.handle(.deadlineExpired) == [.terminateSuccessor, .setDeadline(.death)])
        #expect(
            machine.handle(.deadlineExpired) == [.killSuccessor, .setDeadline(.burial)])
        #expect(machine.handle(.successorExited) == [.clearDeadline, .failed(failure)])
    }

    @Test func endOfFile_beforeExit_isReportedAsExit() {
        for stage in 2...4 {
            var machine = Self.machine(at: stage)
            #expect(machine.handle(.endOfFile) == [.setDeadline(.death)])
            #expect(machine.handle(.successorExited).failureCode == .exited)
        }
    }

    @Test func exit_beforeEndOfFile_isReportedOnce() {
        var machine = Self.machine(at: 4)
        let actions = machine.handle(.successorExited)
        #expect(actions.failureCode == .exited)
        #expect(!actions.contains(.resumeAccepting))
        #expect(machine.handle(.endOfFile) == [])
        #expect(machine.handle(.received(.ready)) == [])
    }

    @Test func endOfFile_whenSuccessorLivesOn_isReportedAsClosedChannel() {
        var machine = Self.machine(at: 4)
        machine.advance([.endOfFile, .deadlineExpired])
        #expect(machine.handle(.successorExited).failureCode == .channel)
    }

    static func machine(at stage: Int) -> PredecessorStateMachine {
        let events: [PredecessorStateMachine.Event] = [
            .begin, .spawned, .received(.hello(features: ["leaving"])),
            .received(.taken(batch: 1, descriptors: 2)), .received(.ready), .paused,
            .received(.accepting),
        ]
        var machine = PredecessorStateMachine(batches: [2], stateSize: nil)
        machine.advance(Array(events.prefix(stage)))
        return machine
    }
}
