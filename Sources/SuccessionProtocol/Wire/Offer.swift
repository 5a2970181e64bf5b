// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// One batch of the predecessor's descriptors.
    package struct Offer: WireMessage {
        package static let kind = Message.Kind.offer

        package var service: String
        /// The number that the successor gets.
        package var generation: Int
        /// The predecessor's.
        package var processID: Int32
        package var features: [FeatureWord]
        /// From 1.
        package var batch: Int
        package var batches: Int
        /// Descriptors in all batches together.
        package var total: Int
        /// Whether a `state` follows the last batch.
        package var hasState: Bool
        /// In this batch.
        package var descriptors: Int
        /// As ``ManifestBody`` encodes it; read when the batch has been acknowledged.
        package var manifest: [UInt8]

        package init(
            service: String, generation: Int, processID: Int32,
            features: [FeatureWord] = FeatureWord.own, batch: Int, of batches: Int, total: Int,
            hasState: Bool, descriptors: Int, manifest: [UInt8]
        ) {
            self.service = service
            self.generation = generation
            self.processID = processID
            self.features = features
            self.batch = batch
            self.batches = batches
            self.total = total
            self.hasState = hasState
            self.descriptors = descriptors
            self.manifest = manifest
        }

        package init(keysOf message: Message) throws(WireError) {
            (batch, batches) = try Self.batch(message)
            generation = try message.required(.generation, of: Self.kind)
            processID = Int32(clamping: try message.required(.processID, of: Self.kind))
            total = try message.required(.total, of: Self.kind)
            hasState = try message.required(.hasState, of: Self.kind) == 1
            service = message.text(.service) ?? ""
            features = message.features
            descriptors = message.number(.descriptors) ?? 0
            manifest = message.body
        }

        package func addKeys(to message: inout Message) {
            message.add(.service, service)
            message.add(.generation, generation)
            message.add(.processID, Int(processID))
            message.add(features: features)
            message.add(.batch, "\(batch)/\(batches)")
            message.add(.total, total)
            message.add(.hasState, hasState ? 1 : 0)
            message.add(.descriptors, descriptors)
            message.body = manifest
        }

        /// Reads `BATCH=i/n`.
        private static func batch(_ message: Message) throws(WireError) -> (Int, Int) {
            let key = TextKey.batch.name
            guard let text = message.text(.batch) else { throw .missing(key: key, of: kind) }
            let numbers = text.split(separator: "/", omittingEmptySubsequences: false)
                .map { WireNumber.parse($0, in: NumericKey.batch.range) ?? 0 }
            guard numbers.count == 2, numbers[0] >= 1, numbers[1] >= numbers[0] else {
                throw .invalid(
                    key: key, of: kind,
                    sentence: "\(key)= of '\(kind.rawValue)' is not i/n, with i from 1 to n")
            }
            return (numbers[0], numbers[1])
        }
    }
}
