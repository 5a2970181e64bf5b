// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SuccessionSystem

/// One message and the descriptors that came with it.
///
/// The descriptors belong to the packet: those nobody takes are closed with it.
package struct Packet: Sendable {
    package let message: Message
    package let descriptors: ReceivedDescriptors

    package init(_ message: Message, descriptors: ReceivedDescriptors) {
        self.message = message
        self.descriptors = descriptors
    }
}
