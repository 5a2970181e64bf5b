// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// How an upgrade ended.
    package struct UpgradeResult: WireMessage {
        package static let kind = Message.Kind.result

        package enum Outcome: Sendable, Hashable {
            /// The successor serves. Of the listeners that it closes, what people are told.
            case committed(left: [String])
            case unchanged(Unchanged)
            /// A word of a later version; empty: there is none.
            case unknown(String)
        }

        /// Why everything is as before.
        package struct Unchanged: Sendable, Hashable {
            package var failure: Failure
            /// Nil: none was started.
            package var successor: Int32?
            /// Nil: it has not ended by itself.
            package var exitStatus: Int?
            /// The signal that killed it.
            package var signal: Int?
            /// What it printed last.
            package var standardError: [String]

            package init(
                _ failure: Failure, successor: Int32? = nil, exitStatus: Int? = nil,
                signal: Int? = nil, standardError: [String] = []
            ) {
                self.failure = failure
                self.successor = successor
                self.exitStatus = exitStatus
                self.signal = signal
                self.standardError = standardError
            }
        }

        package var outcome: Outcome
        /// Who serves now; nil: it does not say.
        package var generation: Int?
        package var processID: Int32?

        package init(_ outcome: Outcome, generation: Int?, processID: Int32?) {
            self.outcome = outcome
            self.generation = generation
            self.processID = processID
        }

        package init(keysOf message: Message) {
            let outcome: Outcome =
                switch message.text(.result) ?? "" {
                case Self.committed: .committed(left: message.texts(.left))
                case Self.unchanged: .unchanged(Unchanged(message))
                case let word: .unknown(word)
                }
            self.init(
                outcome, generation: message.number(.generation),
                processID: message.processID(.processID))
        }

        package func addKeys(to message: inout Message) {
            switch outcome {
            case .committed: message.add(.result, Self.committed)
            case .unchanged(let unchanged):
                message.add(.result, Self.unchanged)
                unchanged.failure.add(to: &message)
            case .unknown(let word): message.add(.result, word)
            }
            if let generation { message.add(.generation, generation) }
            if let processID { message.add(.processID, Int(processID)) }
            switch outcome {
            case .committed(let left): for listener in left { message.add(.left, listener) }
            case .unchanged(let unchanged): unchanged.addEnd(to: &message)
            case .unknown: break
            }
        }

        private static let committed = "committed"
        private static let unchanged = "unchanged"
    }
}

extension Wire.UpgradeResult.Unchanged {
    fileprivate init(_ message: Message) {
        self.init(
            Failure(message), successor: message.processID(.successor),
            exitStatus: message.number(.exit), signal: message.number(.signal),
            standardError: message.texts(.standardError))
    }

    fileprivate func addEnd(to message: inout Message) {
        if let successor { message.add(.successor, Int(successor)) }
        if let exitStatus { message.add(.exit, exitStatus) }
        if let signal { message.add(.signal, signal) }
        for line in standardError { message.add(.standardError, line) }
    }
}
