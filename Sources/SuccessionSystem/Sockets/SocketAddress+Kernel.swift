// SPDX-License-Identifier: Apache-2.0

import CSuccession
package import Glibc
package import SystemPackage

extension SocketAddress {
    /// Lends the address in the form in which the kernel wants it.
    ///
    /// ENAMETOOLONG: a Unix path of more than 107 bytes. EINVAL: nothing that can be bound or
    /// connected to.
    package func withSockaddr<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        var storage = sockaddr_storage()
        let length = try encode(into: &storage)
        return try Self.withPointer(to: &storage) { (pointer) throws(Errno) in
            try body(UnsafePointer(pointer), length)
        }
    }

    /// Reads an address the kernel wrote.
    package init(_ storage: sockaddr_storage, length: socklen_t) {
        self = withUnsafeBytes(of: storage) { bytes in
            Self.decode(UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(length))))
        }
    }

    /// Has the kernel write an address by way of `call`, which returns what the C function
    /// returned.
    static func read(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) throws(Errno) ->
            Void
    ) throws(Errno) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try withPointer(to: &storage) { (pointer) throws(Errno) in try call(pointer, &length) }
        return SocketAddress(storage, length: length)
    }

    private static func withPointer<Result>(
        to storage: inout sockaddr_storage,
        _ body: (UnsafeMutablePointer<sockaddr>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        // Sound: every socket address begins as sockaddr does, and the storage is large enough and
        // aligned for each.
        try withUnsafeMutablePointer(to: &storage) { (pointer) throws(Errno) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}

// MARK: - Into the kernel

extension SocketAddress {
    private func encode(into storage: inout sockaddr_storage) throws(Errno) -> socklen_t {
        switch self {
        case .ipv4(let host, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = host.bigEndian
            return Self.copy(address, to: &storage)
        case .ipv6(let bytes, let port, let scope):
            guard bytes.count == 16 else { throw .invalidArgument }
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
            return Self.copy(address, to: &storage)
        case .unixPath(let path):
            if path.isEmpty { throw .invalidArgument }
            try Syscall.checkPath(path)
            return try Self.encodeUnix(Array(path.utf8) + [0], into: &storage)
        case .unixAbstract(let name):
            // Every byte of an abstract name counts, so there is none at the end that is not part
            // of it.
            return try Self.encodeUnix([0] + Array(name.utf8), into: &storage)
        case .vsock(let cid, let port):
            let length = withUnsafeMutableBytes(of: &storage) {
                csuccession_vsock_encode(cid, port, $0.baseAddress, $0.count)
            }
            return socklen_t(try Syscall.shim(length))
        case .unixUnnamed, .other:
            throw .invalidArgument
        }
    }

    private static func copy<Address>(
        _ address: Address, to storage: inout sockaddr_storage
    ) -> socklen_t {
        withUnsafeMutableBytes(of: &storage) { storage in
            withUnsafeBytes(of: address) { storage.copyBytes(from: $0) }
        }
        return socklen_t(MemoryLayout<Address>.size)
    }

    private static let unixNameOffset = MemoryLayout<sa_family_t>.size

    private static func encodeUnix(
        _ name: [UInt8], into storage: inout sockaddr_storage
    ) throws(Errno) -> socklen_t {
        if name.count > maximumPathLength + 1 { throw .fileNameTooLong }
        storage.ss_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &storage) { bytes in
            UnsafeMutableRawBufferPointer(rebasing: bytes.dropFirst(unixNameOffset))
                .copyBytes(from: name)
        }
        return socklen_t(unixNameOffset + name.count)
    }
}

// MARK: - From the kernel

extension SocketAddress {
    private static func decode(_ bytes: UnsafeRawBufferPointer) -> SocketAddress {
        guard bytes.count >= MemoryLayout<sa_family_t>.size else {
            return .other(family: AF_UNSPEC)
        }
        let family = CInt(bytes.loadUnaligned(as: sa_family_t.self))
        switch family {
        case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            return .ipv4(
                UInt32(bigEndian: address.sin_addr.s_addr),
                port: UInt16(bigEndian: address.sin_port))
        case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
            let address = bytes.loadUnaligned(as: sockaddr_in6.self)
            return .ipv6(
                bytes: withUnsafeBytes(of: address.sin6_addr) { Array($0) },
                port: UInt16(bigEndian: address.sin6_port), scope: address.sin6_scope_id)
        case AF_UNIX:
            return decodeUnix(bytes.dropFirst(unixNameOffset))
        case SocketFamily.vsock.rawValue:
            var (cid, port): (UInt32, UInt32) = (0, 0)
            let result = csuccession_vsock_decode(bytes.baseAddress, bytes.count, &cid, &port)
            return result < 0 ? .other(family: family) : .vsock(cid: cid, port: port)
        default:
            return .other(family: family)
        }
    }

    private static func decodeUnix(_ name: Slice<UnsafeRawBufferPointer>) -> SocketAddress {
        guard let first = name.first else { return .unixUnnamed }
        if first == 0 { return .unixAbstract(String(decoding: name.dropFirst(), as: UTF8.self)) }
        // The kernel counts the zero byte at the end, unless the path fills the field.
        return .unixPath(String(decoding: name.prefix { $0 != 0 }, as: UTF8.self))
    }
}
