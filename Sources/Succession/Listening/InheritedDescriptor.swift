// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
public import SystemPackage

/// A descriptor that goes from generation to generation under a name and does not listen: a pipe, a
/// timer, a device, a memory file.
///
/// ``Generation/descriptor(_:orMake:)`` returns it. The generation owns it: it stays open until the
/// generation drains, and every successor gets it. What is shared between the generations is the
/// open file, with its position and its flags, O_NONBLOCK among them.
public final class InheritedDescriptor: Sendable {
    /// What a hand-over treats like any listener; its kind is `other`.
    package let carrier: Listener

    init(_ carrier: Listener) {
        self.carrier = carrier
    }

    /// The name under which generations and the service manager know it.
    public var name: String { carrier.name }

    /// Where it came from first; a descriptor keeps that from generation to generation.
    public var origin: Listener.Origin { carrier.origin }

    /// Lends the descriptor for the length of a call; the number is -1 once the generation has let
    /// go of it.
    ///
    /// The generation still owns it: do not close it, and duplicate it to keep it.
    public func withUnsafeDescriptor<Result, Failure: Error>(
        _ body: (FileDescriptor) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try carrier.withUnsafeDescriptor(body)
    }

    /// Makes a close-on-exec duplicate, which the caller owns and closes.
    ///
    /// Throws ``SuccessionError/Code/resourcesExhausted`` if the process has as many descriptors as
    /// it may, and EBADF as its cause once the generation has let go of the descriptor.
    public func duplicate() throws(SuccessionError) -> FileDescriptor {
        try carrier.duplicateDescriptor()
    }

    /// Has a reader told when this generation's turn to read begins and ends: generations that read
    /// one pipe at the same time would each get a part.
    ///
    /// Attach before ``Generation/ready()``.
    public func attach(_ acceptor: any Acceptor) {
        carrier.attach(acceptor)
    }
}
