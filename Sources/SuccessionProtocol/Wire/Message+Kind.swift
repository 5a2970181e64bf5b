// SPDX-License-Identifier: Apache-2.0

extension Message {
    /// What a message says: every kind that this version of the protocol has.
    ///
    /// A kind of a later version has no case; it is received like any other, by its name, and
    /// answered with `refused`.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case hello, offer, state, taken, ready, committed, accepting, leaving, draining, drained
        case trouble, abort, refused
        case status, upgrade, step, result, drain, stop, aborted, reload, reloaded
    }
}

// MARK: - The table of kinds

extension Message.Kind {
    /// Who sends a message on a channel (docs/protocol.md §2).
    package enum ChannelSide: String, Sendable, Hashable, CaseIterable {
        case predecessor, successor
    }

    /// Who sends a message on a control socket (docs/protocol.md §4).
    package enum ControlSide: String, Sendable, Hashable, CaseIterable {
        case `operator`, generation
    }

    /// Where a kind belongs.
    package struct Row: Sendable, Hashable {
        /// Who sends it on a channel; empty: nobody does.
        package let onChannel: [ChannelSide]
        /// Who sends it on a control socket; empty: nobody does.
        package let onControlSocket: [ControlSide]
        /// How many descriptors it may carry.
        package let descriptors: ClosedRange<Int>

        fileprivate init(
            channel: ChannelSide..., control: ControlSide..., descriptors: ClosedRange<Int> = 0...0
        ) {
            onChannel = channel
            onControlSocket = control
            self.descriptors = descriptors
        }
    }

    /// The kind's row of the table in docs/protocol.md §1, in the same order.
    package var row: Row {
        switch self {
        case .hello: Row(channel: .successor)
        case .offer: Row(channel: .predecessor, descriptors: 0...Message.maximumDescriptors)
        case .state: Row(channel: .predecessor, descriptors: 0...1)
        case .taken: Row(channel: .successor)
        case .ready: Row(channel: .successor)
        case .committed: Row(channel: .predecessor)
        case .accepting: Row(channel: .successor)
        case .leaving: Row(channel: .successor)
        case .draining: Row(channel: .predecessor, control: .generation)
        case .drained: Row(channel: .predecessor, control: .generation)
        case .trouble: Row(channel: .successor)
        case .abort: Row(channel: .predecessor, .successor, control: .operator)
        case .refused: Row(channel: .predecessor, .successor, control: .operator, .generation)
        case .status: Row(control: .operator, .generation)
        case .upgrade: Row(control: .operator)
        case .step: Row(control: .generation)
        case .result: Row(control: .generation)
        case .drain: Row(control: .operator)
        case .stop: Row(control: .operator)
        case .aborted: Row(control: .generation)
        case .reload: Row(control: .operator)
        case .reloaded: Row(control: .generation)
        }
    }
}
