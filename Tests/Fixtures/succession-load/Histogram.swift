// SPDX-License-Identifier: Apache-2.0

/// Counts of durations in buckets at most 1.6 % wide, and the exact maximum.
struct Histogram {
    /// Each power of two is cut into this many buckets.
    private static let steps = 64
    private static let shift = 6

    private var buckets = [Int](repeating: 0, count: steps * 36)
    private(set) var count = 0
    private(set) var maximum: Int64 = 0

    mutating func add(nanoseconds: Int64) {
        buckets[min(Self.bucket(of: max(0, nanoseconds)), buckets.count - 1)] += 1
        count += 1
        maximum = max(maximum, nanoseconds)
    }

    mutating func add(_ other: Histogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        maximum = max(maximum, other.maximum)
    }

    /// The upper end of the bucket that holds this share of the values; 0 when there are none.
    func percentile(_ share: Double) -> Int64 {
        let wanted = max(1, Int((Double(count) * share).rounded(.up)))
        var seen = 0
        for (index, amount) in buckets.enumerated() {
            seen += amount
            if seen >= wanted { return min(Self.upperEnd(of: index), maximum) }
        }
        return 0
    }

    private static func bucket(of value: Int64) -> Int {
        guard value >= steps else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount - shift
        return steps * exponent + Int(value >> Int64(exponent))
    }

    private static func upperEnd(of bucket: Int) -> Int64 {
        guard bucket >= 2 * steps else { return Int64(bucket) }
        let exponent = bucket / steps - 1
        let mantissa = Int64(bucket - steps * exponent)
        return ((mantissa + 1) << Int64(exponent)) - 1
    }
}
