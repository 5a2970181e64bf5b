// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem

/// Clients that never try again and forgive nothing: each request that is not answered is a loss.
///
/// Each client has a thread and one connection, and sends one request after the other, at most
/// 200 a second. They stop when ``stop()`` is called, or when this value is let go of.
public final class StrictClients: Sendable {
    private let tally: ClientTally

    /// Starts the clients; returns before any of them has sent a request.
    ///
    /// `phase` is asked at each loss.
    package init(
        _ kind: ClientKind, to address: SocketAddress, count: Int, timeout: Duration,
        phase: @escaping @Sendable () -> UpgradePhase?
    ) throws(TestUpgradeError) {
        do {
            tally = try ClientTally(count: count, phase: phase)
        } catch {
            throw .system("cannot create a pipe", error)
        }
        for number in 0..<count {
            let client = StrictClient(
                kind: kind, address: address, timeout: timeout, number: number, tally: tally)
            do {
                try startThread(name: "strict-client") {
                    SignalRelay.blockAllInThisThread()
                    client.run()
                }
            } catch {
                for missing in number..<count { tally.ended(missing) }
                tally.stop()
                throw .system("cannot start a thread", error)
            }
        }
    }

    deinit { tally.stop() }

    /// What the clients have seen so far.
    public var report: ClientReport { tally.report }

    /// Returns when each client has completed `count` more requests, well or not, or when the clients have stopped.
    ///
    /// A request takes at most its timeout, so this returns. Cancellation does not end the wait.
    public func next(_ count: Int = 1) async {
        await tally.next(count)
    }

    /// Lets each client finish the request it is at, and returns what all have seen.
    ///
    /// A request takes at most its timeout, so this returns. Cancellation does not end the wait. Later calls return
    /// the same report.
    @discardableResult
    public func stop() async -> ClientReport {
        tally.stop()
        await tally.allEnded()
        return tally.report
    }
}

/// One client, on its thread.
private struct StrictClient: Sendable {
    /// 200 requests a second.
    private static let interval: UInt64 = 5_000_000

    let kind: ClientKind
    let address: SocketAddress
    let timeout: Duration
    let number: Int
    let tally: ClientTally

    func run() {
        var kept: (conversation: any ClientConversation, requests: Int)?
        var due = Syscall.monotonicNanoseconds()
        while !tally.isStopping(until: due) {
            do throws(ClientFailure) {
                let conversation: any ClientConversation
                let requests = kept?.requests ?? 0
                if let open = kept?.conversation {
                    conversation = open
                } else {
                    conversation = try kind.connect(to: address, timeout: timeout)
                }
                // Forgotten until the exchange has gone well.
                kept = nil
                try conversation.exchange()
                if !conversation.isOver, requests + 1 < kind.requestsPerConnection {
                    kept = (conversation, requests + 1)
                }
                tally.completed(number, isFirstOfConnection: requests == 0)
            } catch {
                tally.lost(number, error)
            }
            // A client that is late does not send the requests that are overdue at once.
            due = max(due + Self.interval, Syscall.monotonicNanoseconds())
        }
        tally.ended(number)
    }
}
