// SPDX-License-Identifier: Apache-2.0

#if NIO
public import NIOCore
import NIOPosix
import SuccessionSystem

/// A connection that nobody made, played before the first client's comes.
public enum Rehearsal {
    /// Sends `request` through a channel set up by `initialise`, on `eventLoop`; the future succeeds
    /// when that is closed.
    ///
    /// The first connection of a process takes half a millisecond longer than the second: its code
    /// is read from the file and its types are looked up. Every upgrade makes a process whose first
    /// connection is a client's. Begin this when the event loops are there, and wait for it behind
    /// ``Succession/Generation/ready()``: it runs while the listeners are adopted and the predecessor
    /// is asked to pause.
    ///
    /// The request must be one behind whose answer the server closes, the answer must fit a socket
    /// buffer, and neither may have effects. With a drain handler in its pipeline it counts as a
    /// connection while it lasts. The other end reads nothing, and the channel is closed
    /// after `patience` at the latest: that is not an error. The future fails with what `initialise`
    /// throws, and with what keeps a pair of sockets from being made.
    public static func play(
        _ request: String, on eventLoop: any EventLoop, patience: TimeAmount = .seconds(1),
        initialise: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<Void> {
        eventLoop.flatSubmit {
            do {
                let (client, server) = try Syscall.socketPair(type: .stream, nonBlocking: true)
                try Syscall.writeAll(client.rawValue, Array(request.utf8))
                // The hand-over goes on meanwhile.
                TimeSlice.long.request()
                let closed = ClientBootstrap(group: eventLoop)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture { try initialise(channel) }
                    }
                    .withConnectedSocket(server.relinquish())
                    .flatMap { channel in
                        let end = channel.eventLoop.scheduleTask(in: patience) {
                            channel.close(promise: nil)
                        }
                        return channel.closeFuture.always { _ in
                            end.cancel()
                            client.close()
                        }
                    }
                return closed.always { _ in TimeSlice.usual.request() }
            } catch {
                return eventLoop.makeFailedFuture(error)
            }
        }
    }
}
#endif
