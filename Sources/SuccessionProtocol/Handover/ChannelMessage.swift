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
    case misplaced(Message.Kind)
    case unknown(String)
    case malformed(String)
    case unsupportedVersion(Int)
    /// The descriptors are not what the message says they are.
    case descriptorMismatch(String)
}

extension ChannelMessage {
    /// Reads a message; one that lacks a key is `malformed`.
    package init(_ message: Message) {
        guard let kind = message.kind else {
            self = .unknown(message.kindName)
            return
        }
        do throws(WireError) {
            self = try Self.read(kind, message)
        } catch {
            self = .malformed(error.description)
        }
    }

    private static func read(
        _ kind: Message.Kind, _ message: Message
    ) throws(WireError) -> ChannelMessage {
        switch kind {
        case .hello: ChannelMessage(try Wire.Hello(message))
        case .taken: ChannelMessage(try Wire.Taken(message))
        case .ready: ChannelMessage(try Wire.Ready(message))
        case .accepting: .accepting
        case .leaving: .leaving
        case .offer: ChannelMessage(try Wire.Offer(message))
        case .state: .state(size: try Wire.State(message).size)
        case .committed: .committed
        case .draining: .draining
        case .drained: .drained
        case .abort: .abort(Failure(message))
        case .refused: .refused(Failure(message))
        // The driver keeps what it says and tells the machine nothing.
        case .trouble: .misplaced(kind)
        case .status, .upgrade, .step, .result, .drain, .stop, .aborted, .reload, .reloaded:
            .misplaced(kind)
        }
    }

    private init(_ hello: Wire.Hello) {
        self = .hello(features: hello.features.map(\.rawValue))
    }

    private init(_ taken: Wire.Taken) {
        switch taken {
        case .batch(let batch, let descriptors):
            self = .taken(batch: batch, descriptors: descriptors)
        case .state(let size): self = .takenState(size: size)
        }
    }

    private init(_ ready: Wire.Ready) {
        self = ready.left.isEmpty ? .ready : .readyWithout(ready.left.map(\.description))
    }

    private init(_ offer: Wire.Offer) {
        self = .offer(
            batch: offer.batch, of: offer.batches, descriptors: offer.descriptors,
            total: offer.total, hasState: offer.hasState)
    }
}
