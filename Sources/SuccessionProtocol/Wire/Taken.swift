// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// The successor's acknowledgement of a batch, or of the state.
    ///
    /// Without a valid `STATE=` it is that of a batch.
    package enum Taken: WireMessage {
        case batch(Int, descriptors: Int)
        case state(size: Int)

        package static let kind = Message.Kind.taken

        package init(keysOf message: Message) throws(WireError) {
            if let size = message.number(.stateSize) {
                self = .state(size: size)
            } else {
                self = .batch(
                    try message.required(.batch, of: Self.kind),
                    descriptors: try message.required(.taken, of: Self.kind))
            }
        }

        package func addKeys(to message: inout Message) {
            switch self {
            case .batch(let number, let descriptors):
                message.add(.batch, number)
                message.add(.taken, descriptors)
            case .state(let size): message.add(.stateSize, size)
            }
        }
    }
}
