// SPDX-License-Identifier: Apache-2.0

// What follows `ready`: these messages have no keys.

extension Wire {
    /// The predecessor has stopped accepting: the successor takes over.
    package struct Committed: KeylessMessage {
        package static let kind = Message.Kind.committed

        package init() {}
    }

    /// The successor accepts.
    package struct Accepting: KeylessMessage {
        package static let kind = Message.Kind.accepting

        package init() {}
    }

    /// The successor stops accepting of its own accord: nobody is to take its place.
    package struct Leaving: KeylessMessage {
        package static let kind = Message.Kind.leaving

        package init() {}
    }
}
