// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

extension ChannelMessage {
    /// A packet that could not be received, as an event for a state machine.
    init(_ error: TransportError) {
        switch error {
        case .message(.unsupportedVersion(let version)): self = .unsupportedVersion(version)
        case .descriptorsLost, .descriptorCount: self = .descriptorMismatch("\(error)")
        default: self = .malformed("\(error)")
        }
    }
}
