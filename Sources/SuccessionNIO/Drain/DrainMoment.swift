// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

/// When, between the beginning of a drain and its deadline, connections are asked to end.
///
/// Clients that are asked all at once come back all at once.
public struct DrainMoment: Sendable, Hashable {
    /// Parts of the drain, 0 being its beginning and 1 its deadline; nil: never.
    private let range: ClosedRange<Double>?

    /// Every connection at the beginning.
    public static let beginning = DrainMoment(range: 0...0)
    /// None: the deadline closes what is left, and counts it as cut.
    public static let deadline = DrainMoment(range: nil)

    /// Each connection at a moment of its own, by chance, between two parts of the drain's length:
    /// `.spread(0.5...0.9)` is the second half, with something left for the clients to go.
    public static func spread(_ range: ClosedRange<Double>) -> DrainMoment {
        DrainMoment(range: range.clamped(to: 0...1))
    }

    /// How long one connection is left alone; nil: until it is cut.
    func delay(ofDrain length: Duration) -> TimeAmount? {
        range.map { TimeAmount(length * Double.random(in: $0)) }
    }
}
#endif
