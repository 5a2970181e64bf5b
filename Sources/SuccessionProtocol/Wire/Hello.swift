// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// The successor's first word.
    package struct Hello: WireMessage {
        package static let kind = Message.Kind.hello

        /// The successor's own; nil: it is absent or no pid, which the predecessor does not need.
        package var processID: Int32?
        package var features: [FeatureWord]

        package init(processID: Int32?, features: [FeatureWord] = FeatureWord.own) {
            self.processID = processID
            self.features = features
        }

        package init(keysOf message: Message) {
            self.init(
                processID: message.processID(.processID),
                features: message.features)
        }

        package func addKeys(to message: inout Message) {
            if let processID { message.add(.processID, Int(processID)) }
            message.add(features: features)
        }
    }
}

extension Message {
    /// The words of `FEATURES=`; none if it is absent.
    var features: [FeatureWord] {
        (fieldLists(.features).first ?? []).map { FeatureWord(rawValue: $0) }
    }

    mutating func add(features: [FeatureWord]) {
        addFields(.features, features.map(\.rawValue))
    }
}
