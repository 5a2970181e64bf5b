// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// The state of the predecessor's application, in the body or in a memory file.
    ///
    /// Whether as many bytes came as `SIZE=` says is for the receiver to see: it has the file.
    package struct State: WireMessage {
        package static let kind = Message.Kind.state

        package var size: Int
        /// Empty if it is in a file.
        package var body: [UInt8]
        /// 1: it is in a memory file.
        package var descriptors: Int

        package init(_ bytes: [UInt8]) {
            size = bytes.count
            body = bytes
            descriptors = 0
        }

        /// A state that rides on the packet as a memory file.
        package init(fileOfSize size: Int) {
            self.size = size
            body = []
            descriptors = 1
        }

        package init(keysOf message: Message) throws(WireError) {
            size = try message.required(.size, of: Self.kind)
            body = message.body
            descriptors = message.number(.descriptors) ?? 0
        }

        package func addKeys(to message: inout Message) {
            message.add(.size, size)
            if descriptors > 0 { message.add(.descriptors, descriptors) }
            message.body = body
        }
    }
}
