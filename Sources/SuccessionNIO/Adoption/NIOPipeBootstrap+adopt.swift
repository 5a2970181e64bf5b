// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
public import NIOPosix
public import Succession
import SuccessionSystem
import SystemPackage

extension NIOPipeBootstrap {
    /// Makes a channel that reads a generation's pipe.
    ///
    /// The descriptor is one of ``Generation/descriptor(_:orMake:)``. The channel reads nothing
    /// before the generation's turn, and whether it reads is the generation's affair from then on.
    /// What was read goes through the pipeline before the successor reads its first byte; where
    /// that is in the middle of a message, hand the beginning over with
    /// ``Generation/handOver(_:)``. Call it before ``Generation/ready()``. Throws if the descriptor
    /// is neither pipe nor character device.
    public func adopt(
        _ pipe: InheritedDescriptor, of generation: Generation
    ) async throws -> any Channel {
        let descriptor = try pipe.duplicatePipe()
        let adoption = channelOption(.autoRead, value: false)
            .takingOwnershipOfDescriptor(input: descriptor)
        let (channel, acceptor) = try await adoption.adopted { channel in
            try AdoptedInput(channel, pipe.carrier, of: generation)
        }
        pipe.carrier.attach(prompt: acceptor)
        return channel
    }
}
#endif
