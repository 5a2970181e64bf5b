// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SystemPackage

/// Why a packet could not be received.
package enum TransportError: Error, Sendable, CustomStringConvertible {
    case system(Errno)
    case message(MessageError)
    /// The kernel dropped descriptors (MSG_CTRUNC): the table of open files is full, or a security
    /// module refused.
    case descriptorsLost(arrived: Int, announced: Int)
    case descriptorCount(arrived: Int, announced: Int)
    case packetTooLarge
    case timedOut

    /// Nothing is there yet on a socket that does not block.
    package var isWouldBlock: Bool {
        if case .system(let errno) = self { return errno == .resourceTemporarilyUnavailable }
        return false
    }

    package var description: String {
        switch self {
        case .system(let errno): "\(errno)"
        case .message(let error): "\(error)"
        case .descriptorsLost(let arrived, let announced):
            "only \(arrived) of \(announced) descriptors arrived: the limit of open files "
                + "(RLIMIT_NOFILE) is reached, or a security module refused one"
        case .descriptorCount(let arrived, let announced):
            "\(arrived) descriptors came with a message that announces \(announced)"
        case .packetTooLarge: "a packet of more than \(Message.maximumPacketSize) bytes"
        case .timedOut: "no answer in time"
        }
    }

    /// The code under which the other side hears of it.
    package var failureCode: FailureCode {
        switch self {
        case .message(.unsupportedVersion): .version
        case .descriptorsLost, .descriptorCount: .descriptor
        case .message, .packetTooLarge: .malformed
        case .system: .channel
        case .timedOut: .timeout
        }
    }
}
