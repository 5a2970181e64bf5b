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
                facts = try SocketFacts.of(descriptor)
                duplicate = try OwnedDescriptor.duplicating(descriptor)
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
#endif
