// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// The successor has built its server.
    package struct Ready: WireMessage {
        package static let kind = Message.Kind.ready

        /// A listener that the successor has not taken and closes.
        package struct Left: Sendable, Hashable, CustomStringConvertible {
            /// Its address, as in the manifest.
            package var what: String
            /// Nil: it does not say.
            package var name: String?

            package init(what: String, name: String?) {
                self.what = what
                self.name = name
            }

            package var description: String { name.map { "'\($0)' (\(what))" } ?? what }
        }

        package var left: [Left]

        package init(left: [Left] = []) {
            self.left = left
        }

        package init(keysOf message: Message) {
            left = message.fieldLists(.left).map { fields in
                Left(what: fields.first ?? "?", name: fields.count > 1 ? fields[1] : nil)
            }
        }

        package func addKeys(to message: inout Message) {
            for listener in left {
                message.addFields(.left, [listener.what] + (listener.name.map { [$0] } ?? []))
            }
        }
    }
}
