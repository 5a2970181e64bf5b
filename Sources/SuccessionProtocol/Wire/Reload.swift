// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// An operator's request to read the configuration again.
    package struct Reload: WireMessage {
        package static let kind = Message.Kind.reload

        /// For the application to answer; nil: the server's configuration says it.
        package var timeout: Duration?

        package init(timeout: Duration? = nil) {
            self.timeout = timeout
        }

        package init(keysOf message: Message) throws(WireError) {
            timeout = try message.optionalDuration(.timeout, of: Self.kind)
        }

        package func addKeys(to message: inout Message) {
            if let timeout { message.add(.timeout, timeout) }
        }
    }

    /// The answer to ``Reload``: the application has accepted.
    package struct Reloaded: WireMessage {
        package static let kind = Message.Kind.reloaded

        /// Who has reloaded; nil: it does not say.
        package var generation: Int?
        package var processID: Int32?
        /// Since the request.
        package var elapsed: Duration

        package init(generation: Int?, processID: Int32?, elapsed: Duration) {
            self.generation = generation
            self.processID = processID
            self.elapsed = elapsed
        }

        package init(keysOf message: Message) {
            self.init(
                generation: message.number(.generation), processID: message.processID(.processID),
                elapsed: message.duration(.elapsed) ?? .zero)
        }

        package func addKeys(to message: inout Message) {
            if let generation { message.add(.generation, generation) }
            if let processID { message.add(.processID, Int(processID)) }
            message.add(.elapsed, elapsed)
        }
    }
}
