// SPDX-License-Identifier: Apache-2.0

/// What a message says, as it stands in its first line.
///
/// A struct and no enum: kinds that only a later version knows are received like any other, and
/// answered with `refused`.
package struct MessageKind: RawRepresentable, Sendable, Hashable {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    private init(_ rawValue: String) {
        self.rawValue = rawValue
    }
}

// MARK: - The channel

extension MessageKind {
    package static let hello = MessageKind("hello")
    package static let offer = MessageKind("offer")
    package static let state = MessageKind("state")
    package static let taken = MessageKind("taken")
    package static let ready = MessageKind("ready")
    package static let committed = MessageKind("committed")
    package static let accepting = MessageKind("accepting")
    package static let leaving = MessageKind("leaving")
    /// What went wrong in a successor that has not given up yet.
    package static let trouble = MessageKind("trouble")
}

// MARK: - The channel and the control socket

extension MessageKind {
    package static let draining = MessageKind("draining")
    package static let drained = MessageKind("drained")
    package static let abort = MessageKind("abort")
    package static let refused = MessageKind("refused")
}

// MARK: - The control socket

extension MessageKind {
    package static let status = MessageKind("status")
    package static let upgrade = MessageKind("upgrade")
    package static let drain = MessageKind("drain")
    package static let stop = MessageKind("stop")
    package static let reload = MessageKind("reload")
    package static let reloaded = MessageKind("reloaded")
    package static let aborted = MessageKind("aborted")
    package static let step = MessageKind("step")
    package static let result = MessageKind("result")
}

extension MessageKind {
    /// Whether this version of the protocol has such a message, on whatever socket.
    package var isKnown: Bool { Message.Kind(rawValue: rawValue) != nil }
}
