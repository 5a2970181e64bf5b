// SPDX-License-Identifier: Apache-2.0

#if NIO
import Succession
import SuccessionSystem
import SystemPackage

extension Listener {
    /// A descriptor for NIO to own, once it is certain that NIO can use it.
    ///
    /// NIO itself stops the process when it is given a closed descriptor, and listens on a port of
    /// the kernel's choice when it is given an unbound socket. Throws if the socket is not of this
    /// type, or not in the state of listening.
    func duplicate(for type: SocketType, mustListen: Bool) throws(SuccessionError) -> CInt {
        try withUnsafeDescriptor { (descriptor) throws(SuccessionError) in
            let duplicate: OwnedDescriptor
            let facts: SocketFacts
            do throws(Errno) {
                facts = try SocketFacts.of(descriptor.rawValue)
                duplicate = try OwnedDescriptor.duplicating(descriptor.rawValue)
            } catch {
                throw SuccessionError(
                    .system, "cannot duplicate '\(name)' (\(address))", cause: error)
            }
            guard facts.type == type, facts.isListening == mustListen else {
                let wanted = mustListen ? "stream socket that listens" : "datagram socket"
                throw SuccessionError(
                    .inheritedTypeMismatch, "'\(name)' (\(address)) is no \(wanted)")
            }
            return duplicate.relinquish()
        }
    }
}

extension InheritedDescriptor {
    /// A descriptor for NIO to own, once it is certain that something can be read from it and that
    /// it is no file, which NIO cannot wait for.
    func duplicatePipe() throws(SuccessionError) -> CInt {
        try withUnsafeDescriptor { (descriptor) throws(SuccessionError) in
            do throws(Errno) {
                let facts = try Syscall.status(of: descriptor.rawValue)
                if facts.isPipe || facts.isCharacterDevice {
                    return try OwnedDescriptor.duplicating(descriptor.rawValue).relinquish()
                }
            } catch {
                throw SuccessionError(.system, "cannot duplicate '\(name)'", cause: error)
            }
            throw SuccessionError(
                .inheritedTypeMismatch, "'\(name)' is neither a pipe nor a character device")
        }
    }
}

extension Listener {
    /// NIO calls listen(2) with a backlog of its own, which holds for every process that has the
    /// socket.
    func restoreBacklog() {
        // A listener that has none (0) was never measured; and one whose queue cannot be set serves
        // on with NIO's.
        guard backlog > 0 else { return }
        withUnsafeDescriptor { try? Syscall.listen($0.rawValue, backlog: CInt(clamping: backlog)) }
    }

    /// The first word of the address, `tcp` or `unix`.
    var kind: String {
        String(address.description.prefix { $0 != ":" })
    }
}
#endif
