// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

/// From `ready` on: the predecessor has begun to pause, or has paused.
@Suite struct PredecessorPauseTests {
    @Test func exit_whilePausing_resumesOnlyAfterThePause() {
        var machine = PredecessorStateMachineTests.machine(at: 5)
        #expect(machine.handle(.successorExited) == [.abandonPause, .clearDeadline])
        let actions = machine.handle(.paused)
        #expect(actions.first == .resumeAccepting)
        #expect(actions.failureCode == .exited)
    }

    @Test func pause_whenItFails_resumesOnceTheSuccessorIsDead() {
        var machine = PredecessorStateMachineTests.machine(at: 5)
        #expect(machine.handle(.pauseFailed("stuck")).abortCode == .pause)
        let actions = machine.handle(.successorExited)
        #expect(actions.contains(.resumeAccepting))
        #expect(actions.failureCode == .pause)
    }

    @Test func pause_whenItOutlastsItsDeadline_isWaitedFor() {
        var machine = PredecessorStateMachineTests.machine(at: 5)
        #expect(machine.handle(.deadlineExpired).abortCode == .timeout)
        #expect(machine.handle(.successorExited) == [.clearDeadline])
        #expect(machine.handle(.pauseFailed("stuck")).first == .resumeAccepting)
    }

    @Test func pause_whenItEndsBeforeTheSuccessorDoes_waitsForItsDeath() {
        var machine = PredecessorStateMachineTests.machine(at: 5)
        #expect(machine.handle(.cancelled("enough")).abortCode == .operator)
        #expect(machine.handle(.paused) == [])
        #expect(machine.handle(.successorExited).contains(.resumeAccepting))
    }

    @Test func exit_afterCommitted_resumesAtOnce() {
        var machine = PredecessorStateMachineTests.machine(at: 6)
        let actions = machine.handle(.successorExited)
        #expect(actions.prefix(2) == [.clearDeadline, .resumeAccepting])
        #expect(machine.handle(.received(.accepting)) == [])
        #expect(machine.handle(.endOfFile) == [])
    }

    @Test(arguments: [
        PredecessorStateMachine.Event.deadlineExpired, .cancelled("enough"),
        .received(.malformed("x")), .received(.ready),
    ])
    func trouble_afterCommitted_resumesOnlyOverADeadSuccessor(
        event: PredecessorStateMachine.Event
    ) {
        var machine = PredecessorStateMachineTests.machine(at: 6)
        let actions = machine.handle(event)
        #expect(actions.contains(.terminateSuccessor))
        #expect(!actions.contains(.resumeAccepting))
        #expect(machine.handle(.received(.accepting)) == [])
        #expect(machine.handle(.successorExited).contains(.resumeAccepting))
    }

    @Test func endOfFileOrAbort_afterCommitted_resumesOnlyOverADeadSuccessor() {
        let failure = Failure(code: .application, reason: "cannot accept")
        for event in [PredecessorStateMachine.Event.endOfFile, .received(.abort(failure))] {
            var machine = PredecessorStateMachineTests.machine(at: 6)
            #expect(machine.handle(event) == [.setDeadline(.death)])
            #expect(machine.handle(.successorExited).contains(.resumeAccepting))
        }
    }

    /// It sleeps in the kernel, and nobody can say for how long.
    @Test func death_whenTheKernelDoesNotLetGo_isNotWaitedFor() {
        var machine = PredecessorStateMachineTests.machine(at: 6)
        machine.advance([.deadlineExpired, .deadlineExpired])
        let actions = machine.handle(.deadlineExpired)
        #expect(actions.first == .resumeAccepting)
        #expect(actions.failureCode == .timeout)
        #expect(machine.handle(.successorExited) == [])
    }

    @Test func death_whenTheKernelDoesNotLetGo_resumesOnlyAfterThePause() {
        var machine = PredecessorStateMachineTests.machine(at: 5)
        machine.advance([.deadlineExpired, .deadlineExpired])
        #expect(machine.handle(.deadlineExpired) == [])
        #expect(machine.handle(.paused).first == .resumeAccepting)
    }

    @Test func death_ofASuccessorThatAccepted_callsForAnother() {
        var machine = PredecessorStateMachineTests.machine(at: 7)
        #expect(machine.handle(.endOfFile) == [])
        #expect(machine.handle(.successorExited) == [.takeOver])
        #expect(machine.handle(.successorExited) == [])
    }

    @Test func end_ofASuccessorThatLeaves_callsForNone() {
        var machine = PredecessorStateMachineTests.machine(at: 7)
        #expect(machine.handle(.received(.leaving)) == [.letGo])
        #expect(machine.handle(.successorExited) == [])
        machine = PredecessorStateMachineTests.machine(at: 7)
        #expect(machine.handle(.successorLeft) == [.letGo])
    }

    /// In the place of one that died: there is nothing to pause, and nothing to resume.
    @Test(arguments: [PredecessorStateMachine.Event.deadlineExpired, .successorExited])
    func attempt_ofADrainingGeneration_neitherPausesNorResumes(
        event: PredecessorStateMachine.Event
    ) {
        var machine = PredecessorStateMachine(batches: [2], stateSize: nil, isDraining: true)
        machine.advance([
            .begin, .spawned, .received(.hello(features: ["leaving"])),
            .received(.taken(batch: 1, descriptors: 2)),
        ])
        let actions = machine.handle(.received(.ready))
        #expect(actions.contains(.sendCommitted))
        #expect(!actions.contains(.pauseAccepting))
        var failed = machine
        let end = failed.handle(event) + failed.handle(.successorExited)
        #expect(end.failureCode != nil)
        #expect(!end.contains(.resumeAccepting))
        #expect(!machine.handle(.received(.accepting)).contains(.drain))
    }

    @Test func cancel_afterAccepting_isTooLate() {
        var machine = PredecessorStateMachineTests.machine(at: 7)
        #expect(machine.handle(.cancelled("enough")) == [])
        #expect(machine.state == .succeeded)
    }
}
