// SPDX-License-Identifier: Apache-2.0

import Succession

/// When a connection that nobody uses ends while its generation drains: at a moment of its own in
/// the second half, as with SuccessionNIO's `HTTP1DrainHandler`.
struct ConnectionDrain: Sendable {
    /// A connection that was used a moment ago is left open for so long, as far as the drain allows.
    private static let minimumIdleTime = Duration.seconds(5)
    private static let range = 0.5...0.9

    private let lengths: AsyncStream<Duration>

    init(_ entry: ConnectionRegistry.Entry) {
        let (lengths, length) = AsyncStream.makeStream(of: Duration.self)
        self.lengths = lengths
        entry.onDrain { length.yield($0) }
        entry.onShorterDrain { length.yield($0) }
    }

    /// Returns when the task is cancelled.
    func end(_ connection: RelayedConnection) async {
        await withDiscardingTaskGroup { drains in
            for await length in lengths {
                drains.addTask { await Self.end(connection, in: length) }
            }
            drains.cancelAll()
        }
    }

    private static func end(_ connection: RelayedConnection, in length: Duration) async {
        let began = ContinuousClock.now
        let latest = began + length * range.upperBound
        let stall = max(.milliseconds(10), min(.seconds(1), length * (1 - range.upperBound)))
        var moment = began + length * Double.random(in: range)
        while (try? await Task.sleep(until: moment)) != nil {
            // In the last part of the drain it is too late to be considerate.
            let minimum = moment < latest ? minimumIdleTime : .zero
            if connection.endIfIdle(minimumTime: minimum, stall: stall) == .over { return }
            moment = moment < latest ? min(moment + stall, latest) : moment + stall
        }
    }
}
