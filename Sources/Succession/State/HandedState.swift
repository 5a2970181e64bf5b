// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SystemPackage

/// Collects the bytes a generation leaves to its successor.
///
/// Up to 48 KiB travel in a message; more goes to a memory file as it is written, so that even
/// gigabytes are never held twice.
public struct StateWriter: ~Copyable {
    private var buffer: [UInt8] = []
    private var file: OwnedDescriptor?
    private var written = 0

    init() {}

    /// Appends bytes; throws when memory is used up, which fails the upgrade.
    public mutating func write(_ bytes: some Sequence<UInt8>) throws(SuccessionError) {
        let written = bytes.withContiguousStorageIfAvailable { storage in
            Result { () throws(SuccessionError) in try write(UnsafeRawBufferPointer(storage)) }
        }
        if let written { return try written.get() }
        for byte in bytes {
            buffer.append(byte)
            if buffer.count > Message.maximumInlineState { try spill() }
        }
        if file != nil { try spill() }
    }

    /// Appends bytes; throws when memory is used up, which fails the upgrade.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(SuccessionError) {
        if file == nil, buffer.count + bytes.count <= Message.maximumInlineState {
            buffer.append(contentsOf: bytes)
            return
        }
        try spill()
        do {
            if let file { try Syscall.writeAll(file.rawValue, bytes) }
        } catch {
            throw .system("cannot write the state for the successor to a memory file", error)
        }
        written += bytes.count
    }

    private mutating func spill() throws(SuccessionError) {
        do {
            if file == nil {
                file = try MemoryFile.create(name: "succession-state", allowSealing: true)
            }
            if let file { try Syscall.writeAll(file.rawValue, buffer) }
        } catch {
            throw .system("cannot write the state for the successor to a memory file", error)
        }
        written += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    consuming func finish() throws(SuccessionError) -> HandedState {
        guard let file else { return HandedState(content: .bytes(buffer)) }
        do {
            try MemoryFile.seal(file.rawValue)
        } catch {
            throw .system("cannot seal the state for the successor", error)
        }
        return HandedState(content: .file(file, size: written))
    }
}

/// State as a generation received it from its predecessor.
public struct HandedState: Sendable {
    let content: StateContent

    /// Size in bytes.
    public var count: Int { content.count }

    /// Lends the bytes for the length of a call, without copying them: a large state is mapped from
    /// the memory file, page by page as it is read.
    ///
    /// The pointer is invalid afterwards. Throws what `body` throws, and the system's error if the file
    /// cannot be mapped.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        switch content {
        case .bytes(let bytes):
            return try bytes.withUnsafeBytes(body)
        case .file(let file, let size):
            let memory = try MappedMemory(readOnly: file.rawValue, size: size)
            return try memory.withUnsafeBytes(body)
        }
    }

    /// A copy of the bytes; throws if a large state cannot be mapped.
    public func bytes() throws -> [UInt8] {
        try withUnsafeBytes { Array($0) }
    }
}
