// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// What went wrong in a successor that has not given up yet.
    package struct Trouble: FailureMessage {
        package static let kind = Message.Kind.trouble

        package var failure: Failure

        package init(_ failure: Failure) {
            self.failure = failure
        }
    }

    /// Ends a hand-over, on a channel.
    package struct Abort: FailureMessage {
        package static let kind = Message.Kind.abort

        package var failure: Failure

        package init(_ failure: Failure) {
            self.failure = failure
        }
    }

    /// Declines a request, or a kind that is not known.
    package struct Refused: FailureMessage {
        package static let kind = Message.Kind.refused

        package var failure: Failure

        package init(_ failure: Failure) {
            self.failure = failure
        }

        /// The answer to a kind that is not known here.
        package init(unknownKind kind: String) {
            failure = Failure(
                code: .unknownKind, reason: "'\(kind)' is no message that I know")
        }
    }

    /// An operator's request to call the upgrade off, on a control socket.
    package struct AbortRequest: KeylessMessage {
        package static let kind = Message.Kind.abort

        package init() {}
    }

    /// The answer to ``AbortRequest``: the upgrade is undone.
    package struct Aborted: WireMessage {
        package static let kind = Message.Kind.aborted

        /// Who answers; nil: it does not say.
        package var generation: Int?
        package var processID: Int32?
        /// The successor that was ended; nil: none had been started.
        package var successor: Int32?
        /// Since the request.
        package var elapsed: Duration

        package init(generation: Int?, processID: Int32?, successor: Int32?, elapsed: Duration) {
            self.generation = generation
            self.processID = processID
            self.successor = successor
            self.elapsed = elapsed
        }

        package init(keysOf message: Message) {
            self.init(
                generation: message.number(.generation), processID: message.processID(.processID),
                successor: message.processID(.successor),
                elapsed: message.duration(.elapsed) ?? .zero)
        }

        package func addKeys(to message: inout Message) {
            if let generation { message.add(.generation, generation) }
            if let processID { message.add(.processID, Int(processID)) }
            if let successor { message.add(.successor, Int(successor)) }
            message.add(.elapsed, elapsed)
        }
    }
}
