// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension PredecessorStateMachine {
    mutating func advance(_ events: [Event]) {
        for event in events { _ = handle(event) }
    }
}

extension SuccessorStateMachine {
    mutating func advance(_ events: [Event]) {
        for event in events { _ = handle(event) }
    }
}

extension [PredecessorStateMachine.Action] {
    /// The code of the `abort` that goes to the successor.
    var abortCode: FailureCode? {
        for case .sendAbort(let failure) in self { return failure.code }
        return nil
    }

    /// The code with which the attempt ends.
    var failureCode: FailureCode? {
        for case .failed(let failure) in self { return failure.code }
        return nil
    }
}

extension [SuccessorStateMachine.Action] {
    /// The code of the `abort` that goes to the predecessor.
    var abortCode: FailureCode? {
        for case .sendAbort(let failure) in self { return failure.code }
        return nil
    }

    /// The code with which the hand-over ends.
    var failureCode: FailureCode? {
        for case .fail(let failure) in self { return failure.code }
        return nil
    }
}
