// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SuccessionSystem
import SystemPackage

/// What a generation leaves to its successor besides descriptors: bytes that travel in a message,
/// or a sealed memory file.
package enum StateContent: Sendable {
    case bytes([UInt8])
    case file(OwnedDescriptor, size: Int)

    /// Size in bytes.
    package var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, let size): size
        }
    }

    /// Checks what a peer claims to be a state in a memory file, before anything is mapped: a file
    /// that can still shrink would kill its reader.
    package static func verified(
        _ file: OwnedDescriptor, size: Int
    ) throws(Failure) -> StateContent {
        do {
            if try MemoryFile.isSealed(file.rawValue), try MemoryFile.size(file.rawValue) == size {
                return .file(file, size: size)
            }
        } catch {
            throw Failure(
                code: .descriptor, reason: "the state is not in a memory file: \(error)")
        }
        throw Failure(
            code: .descriptor,
            reason: "the state's memory file is not sealed or is not of \(size) bytes")
    }
}
