// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
package import SystemPackage

/// A file descriptor that is closed when its last owner lets go of it.
///
/// A class, because descriptors live in arrays, dictionaries and task groups. A number read from
/// ``rawValue`` is good while the owner lives and nobody closes it. Where another thread may close
/// it, use ``withRawValue(_:)``: the number stays this file's until the call has returned.
package final class OwnedDescriptor: Sendable {
    private let state: Atomic<UInt64>

    /// Takes over a descriptor: from now on nobody else may close it.
    package init(taking raw: CInt) {
        state = Atomic(Lending(of: raw).bits)
    }

    deinit { close() }

    /// The descriptor, or -1 once it was closed or relinquished.
    package var rawValue: CInt { Lending(bits: state.load(ordering: .acquiring)).current }

    /// Lends the descriptor, or -1 once it was closed or relinquished, and keeps its owner alive for
    /// the length of the call.
    ///
    /// A ``close()`` in the middle of it takes effect when the call returns: until then the kernel
    /// gives the number to nobody else.
    package func withRawValue<Result, Failure: Error>(
        _ body: (CInt) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let lent = change { $0.isOver ? nil : $0.lent() }
        defer { if lent != nil { giveBack() } }
        return try body(lent?.number ?? -1)
    }

    private func giveBack() {
        guard let before = change({ $0.givenBack() }) else { return }
        if before.isClosed, before.count == 1 { _ = Glibc.close(before.number) }
    }

    /// Gives the descriptor to the caller, who must close it; -1 if it is gone already.
    package func relinquish() -> CInt {
        change { $0.isOver ? nil : $0.ended(by: Lending.relinquished) }?.number ?? -1
    }

    /// Closes the descriptor; later calls do nothing.
    ///
    /// An error is not reported: Linux has released the number whatever close(2) returns. The
    /// corresponding C function is `close`.
    package func close() {
        let before = change { $0.isOver ? nil : $0.ended(by: Lending.closed) }
        if let before, before.count == 0, before.number >= 0 { _ = Glibc.close(before.number) }
    }

    /// Replaces the state by what `next` makes of it; returns the state before, nil if nothing was
    /// to be done.
    private func change(_ next: (Lending) -> Lending?) -> Lending? {
        var bits = state.load(ordering: .acquiring)
        while true {
            guard let changed = next(Lending(bits: bits)) else { return nil }
            let (done, original) = state.compareExchange(
                expected: bits, desired: changed.bits, ordering: .acquiringAndReleasing)
            if done { return Lending(bits: bits) }
            bits = original
        }
    }

    /// Makes a second descriptor of the same open file, close-on-exec.
    ///
    /// Flags such as O_NONBLOCK are shared by both. The corresponding C function is `fcntl` with
    /// F_DUPFD_CLOEXEC.
    package func duplicate() throws(Errno) -> OwnedDescriptor {
        try withRawValue { (raw) throws(Errno) in try Self.duplicating(raw) }
    }

    /// Makes a descriptor of the same open file as `raw`, which stays the caller's.
    ///
    /// The number is never 0, 1 or 2, which have a meaning. The corresponding C function is `fcntl`
    /// with F_DUPFD_CLOEXEC.
    package static func duplicating(_ raw: CInt) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(taking: try Syscall.check(fcntl(raw, F_DUPFD_CLOEXEC, CInt(3))))
    }
}

/// A number, how many calls it is lent to, and whether its owner has let go of it, in one word.
private struct Lending {
    static let closed: UInt64 = 1 << 63
    static let relinquished: UInt64 = 1 << 62
    private static let one: UInt64 = 1 << 32

    let bits: UInt64

    init(bits: UInt64) {
        self.bits = bits
    }

    init(of number: CInt) {
        bits = UInt64(UInt32(bitPattern: number))
    }

    var number: CInt { CInt(bitPattern: UInt32(truncatingIfNeeded: bits)) }
    var count: UInt64 { (bits & ~(Self.closed | Self.relinquished)) >> 32 }
    var isClosed: Bool { bits & Self.closed != 0 }
    var isOver: Bool { bits & (Self.closed | Self.relinquished) != 0 }
    var current: CInt { isOver ? -1 : number }

    // Each of the calls that are counted runs on a thread: there are never 2³⁰ of them.
    func lent() -> Lending { Lending(bits: bits &+ Self.one) }
    func givenBack() -> Lending { Lending(bits: bits &- Self.one) }
    func ended(by flag: UInt64) -> Lending { Lending(bits: bits | flag) }
}

extension Syscall {
    /// The descriptor that a shim returns.
    static func owned(_ shimResult: CInt) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(taking: try shim(shimResult))
    }
}
