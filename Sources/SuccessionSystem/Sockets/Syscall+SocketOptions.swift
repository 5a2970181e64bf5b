// SPDX-License-Identifier: Apache-2.0

import Glibc
package import SystemPackage

extension Syscall {
    /// Sets an option that is a number.
    ///
    /// The corresponding C function is `setsockopt`.
    package static func setOption(
        _ fd: CInt, level: CInt, name: CInt, value: CInt
    ) throws(Errno) {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        _ = try check(setsockopt(fd, level, name, &value, size))
    }

    /// Reads an option that is a number.
    ///
    /// The corresponding C function is `getsockopt`.
    package static func option(_ fd: CInt, level: CInt, name: CInt) throws(Errno) -> CInt {
        try option(fd, level: level, name: name, initial: CInt(0))
    }

    static func option<Value: FixedWidthInteger>(
        _ fd: CInt, level: CInt, name: CInt, initial: Value
    ) throws(Errno) -> Value {
        var value = initial
        var size = socklen_t(MemoryLayout<Value>.size)
        _ = try check(getsockopt(fd, level, name, &value, &size))
        return value
    }

    /// Lets a server bind while connections of an earlier one linger (SO_REUSEADDR).
    package static func setReuseAddress(_ fd: CInt) throws(Errno) {
        try setOption(fd, level: SOL_SOCKET, name: SO_REUSEADDR, value: 1)
    }

    /// Lets several sockets share an address (SO_REUSEPORT).
    package static func setReusePort(_ fd: CInt) throws(Errno) {
        try setOption(fd, level: SOL_SOCKET, name: SO_REUSEPORT, value: 1)
    }

    /// Says whether an IPv6 socket takes IPv4 too (IPV6_V6ONLY).
    package static func setIPv6Only(_ fd: CInt, _ isOn: Bool) throws(Errno) {
        try setOption(fd, level: CInt(IPPROTO_IPV6), name: IPV6_V6ONLY, value: isOn ? 1 : 0)
    }

    /// How long a blocking connect or send may wait before it fails with EAGAIN (SO_SNDTIMEO).
    package static func setSendTimeout(_ fd: CInt, milliseconds: Int) throws(Errno) {
        var limit = timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = try check(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, size))
    }

    /// The longest queue of a listener the kernel allows (sysctl net.core.somaxconn).
    package static func maximumBacklog() -> Int {
        let bytes = (try? readFile("/proc/sys/net/core/somaxconn")) ?? []
        let digits = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return Int(digits) ?? Int(SOMAXCONN)
    }
}
