// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// What a loop of accept(2) does about an error of it.
///
/// Nothing is tried again and again without a pause: an error that stays would use up a processor.
package struct AcceptBackOff: Sendable {
    package enum Decision: Sendable, Hashable {
        /// At once: it was about the connection, and the next one may be good.
        case again
        /// After so much time.
        case pause(Duration)
        /// When a connection has been closed, or after a short time: descriptors or memory are used
        /// up.
        case untilRoom
        /// It is no listener.
        case giveUp
    }

    /// How long nothing is accepted while descriptors are used up and none is closed.
    package static let roomPause = Duration.milliseconds(100)
    /// Bad connections one after the other before it is taken for more than chance.
    private static let patience = 16
    private static let firstPause = Duration.milliseconds(10)

    private var failures = 0
    private var pause = AcceptBackOff.firstPause

    package init() {}

    /// Each of the errors may last: EPERM of a security module or a filter of system calls, too.
    package mutating func decide(on errno: Errno) -> Decision {
        switch errno {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory:
            return .untilRoom
        case .connectionAbort, .networkDown, .protocolError, .hostIsDown, .noRouteToHost,
            .networkUnreachable, .notPermitted, .permissionDenied, .protocolNotAvailable,
            .timedOut, .connectionReset, .noFunction, .interrupted:
            failures += 1
            if failures <= Self.patience { return .again }
            defer { pause = min(pause * 2, .seconds(1)) }
            return .pause(pause)
        default:
            return .giveUp
        }
    }

    /// Whether this is the moment to tell an operator: the first pause of several.
    package var isNews: Bool { failures == Self.patience + 1 }

    /// A connection was taken.
    package mutating func succeeded() {
        self = AcceptBackOff()
    }
}
