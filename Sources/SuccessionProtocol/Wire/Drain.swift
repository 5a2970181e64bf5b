// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// An operator's request to finish all connections and leave.
    package struct Drain: WireMessage {
        package static let kind = Message.Kind.drain

        /// Nil: the server's configuration says it.
        package var deadline: Duration?

        package init(deadline: Duration? = nil) {
            self.deadline = deadline
        }

        package init(keysOf message: Message) throws(WireError) {
            deadline = try message.optionalDuration(.deadline, of: Self.kind)
        }

        package func addKeys(to message: inout Message) {
            if let deadline { message.add(.deadline, deadline) }
        }
    }

    /// As ``Drain`` with a deadline of 0.
    package struct Stop: KeylessMessage {
        package static let kind = Message.Kind.stop

        package init() {}
    }

    /// How far a drain is.
    package struct Draining: WireMessage {
        package static let kind = Message.Kind.draining

        /// Still open.
        package var connections: Int
        /// Until the deadline.
        package var remaining: Duration

        package init(connections: Int, remaining: Duration) {
            self.connections = connections
            self.remaining = remaining
        }

        package init(keysOf message: Message) {
            self.init(
                connections: message.number(.connections) ?? 0,
                remaining: message.duration(.remaining) ?? .zero)
        }

        package func addKeys(to message: inout Message) {
            message.add(.connections, connections)
            message.add(.remaining, remaining)
        }
    }

    /// The drain is over, and the process exits.
    package struct Drained: WireMessage {
        package static let kind = Message.Kind.drained

        /// Connections that were closed while their client was owed something.
        package var cut: Int

        package init(cut: Int) {
            self.cut = cut
        }

        package init(keysOf message: Message) {
            cut = message.number(.cut) ?? 0
        }

        package func addKeys(to message: inout Message) {
            message.add(.cut, cut)
        }
    }
}
