// SPDX-License-Identifier: Apache-2.0

/// What arrived on the channel, as far as the state machines care.
package enum ChannelMessage: Sendable, Hashable {
    // From the successor.
    case hello(features: [String])
    case taken(batch: Int, descriptors: Int)
    case takenState(size: Int)
    case ready
    /// Ready, and will close these listeners: name and address of each.
    case readyWithout([String])
    case accepting
    /// It stops accepting of its own accord: nobody is to take its place.
    case leaving

    // From the predecessor.
    case offer(batch: Int, of: Int, descriptors: Int, total: Int, hasState: Bool)
    case state(size: Int)
    case committed
    case draining
    case drained

    // From either.
    case abort(Failure)
    case refused(Failure)
    /// A kind of the control socket.
    case misplaced(MessageKind)
    case unknown(String)
    case malformed(String)
    case unsupportedVersion(Int)
    /// The descriptors are not what the message says they are.
    case descriptorMismatch(String)
}

extension ChannelMessage {
    /// Reads a message; one that lacks a key is `malformed`.
    package init(_ message: Message) {
        switch message.kind {
        case .hello: self = .hello(features: message.fieldLists("FEATURES").first ?? [])
        case .taken: self = Self.taken(message)
        case .ready: self = Self.ready(message)
        case .accepting: self = .accepting
        case .leaving: self = .leaving
        case .offer: self = Self.offer(message)
        case .state: self = Self.state(message)
        case .committed: self = .committed
        case .draining: self = .draining
        case .drained: self = .drained
        case .abort: self = .abort(Failure(message))
        case .refused: self = .refused(Failure(message))
        case let kind where kind.isKnown: self = .misplaced(kind)
        case let kind: self = .unknown(kind.rawValue)
        }
    }

    private static func ready(_ message: Message) -> ChannelMessage {
        let left = message.fieldLists("LEFT").map { fields in
            fields.count > 1 ? "'\(fields[1])' (\(fields[0]))" : fields.first ?? "?"
        }
        return left.isEmpty ? .ready : .readyWithout(left)
    }

    private static func taken(_ message: Message) -> ChannelMessage {
        if let size = message.number(.stateSize) { return .takenState(size: size) }
        guard let batch = message.number(.batch), let descriptors = message.number(.taken) else {
            return .malformed("'taken' without BATCH= and TAKEN=, or STATE=")
        }
        return .taken(batch: batch, descriptors: descriptors)
    }

    private static func offer(_ message: Message) -> ChannelMessage {
        let batch = (message.text("BATCH") ?? "").split(
            separator: "/", omittingEmptySubsequences: false
        ).map { WireNumber.parse($0, in: NumericKey.batch.range) ?? 0 }
        guard batch.count == 2, batch[0] >= 1, batch[1] >= batch[0] else {
            return .malformed("'offer' without a valid BATCH=")
        }
        guard message.number(.generation) != nil else {
            return .malformed("'offer' without a valid GENERATION=")
        }
        guard message.number(.processID) != nil else {
            return .malformed("'offer' without a valid PID=")
        }
        guard let total = message.number(.total) else {
            return .malformed("'offer' without a valid TOTAL=")
        }
        guard let state = message.number(.hasState) else {
            return .malformed("'offer' without a valid STATE=")
        }
        return .offer(
            batch: batch[0], of: batch[1], descriptors: message.number(.descriptors) ?? 0,
            total: total,
            hasState: state == 1)
    }

    private static func state(_ message: Message) -> ChannelMessage {
        guard let size = message.number(.size) else {
            return .malformed("'state' without a valid SIZE=")
        }
        return .state(size: size)
    }
}
