// SPDX-License-Identifier: Apache-2.0

import GRPCCore

/// Messages that are UTF-8 text.
struct TextCoder: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: String) -> Bytes {
        Bytes(message.utf8)
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> String {
        try bytes.withUnsafeBytes { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw RPCError(code: .invalidArgument, message: "a message is not UTF-8")
            }
            return text
        }
    }
}
