// SPDX-License-Identifier: Apache-2.0

/// The messages of the protocol, each a type (docs/protocol.md §2.2 and §4).
///
/// A new message is a case and a row in ``Message/Kind``, and a file with its type; the compiler
/// names the places that have to know of it.
package enum Wire {}

/// A message that encodes and decodes itself.
package protocol WireMessage: Sendable, Hashable {
    static var kind: Message.Kind { get }

    /// Reads the keys, and the body, of a message of this kind.
    ///
    /// Throws for a key that is missing or has an invalid value, where the protocol calls that
    /// malformed; elsewhere such a key counts as absent.
    init(keysOf message: Message) throws(WireError)

    /// Adds the keys, and the body; a number outside of its range becomes the nearest in it.
    func addKeys(to message: inout Message)
}

extension WireMessage {
    /// Reads a message; throws also if it is of another kind.
    package init(_ message: Message) throws(WireError) {
        guard message.kind == Self.kind else {
            throw .otherKind(message.kindName, expected: Self.kind)
        }
        try self.init(keysOf: message)
    }

    package var message: Message {
        var message = Message(Self.kind)
        addKeys(to: &message)
        return message
    }
}

/// A message whose kind says everything.
package protocol KeylessMessage: WireMessage {
    init()
}

extension KeylessMessage {
    package init(keysOf message: Message) { self.init() }

    package func addKeys(to message: inout Message) {}
}

/// A message that says what went wrong, by `CODE=` and `REASON=`.
package protocol FailureMessage: WireMessage {
    var failure: Failure { get }
    init(_ failure: Failure)
}

extension FailureMessage {
    package init(keysOf message: Message) { self.init(Failure(message)) }

    package func addKeys(to message: inout Message) { failure.add(to: &message) }
}
