// SPDX-License-Identifier: Apache-2.0

/// A key whose value is a number, and the numbers it may have (docs/protocol.md §1).
///
/// The ranges are such that what is calculated from a value that is in its range cannot overflow:
/// every length of time is less than 63 bits of nanoseconds, and 1 can be added to everything else.
package struct NumericKey: Sendable, Hashable {
    enum Unit: Sendable, Hashable {
        case milliseconds, microseconds
    }

    package let name: String
    package let range: ClosedRange<Int>
    /// Of a length of time; nil: it is none.
    let unit: Unit?

    private init(_ name: String, _ range: ClosedRange<Int>) {
        self.name = name
        self.range = range
        unit = nil
    }

    private init(_ name: String, _ unit: Unit) {
        self.name = name
        self.unit = unit
        range = 0...(Int.max / (unit == .milliseconds ? 1_000_000 : 1_000))
    }

    /// A length of time as a number in the key's range.
    func clamped(_ value: Duration) -> Int {
        let number = value.wholeUnits(perSecond: unit == .milliseconds ? 1_000 : 1_000_000)
        return min(max(number, range.lowerBound), range.upperBound)
    }
}

extension Duration {
    /// Truncated to whole milliseconds (1,000 a second) or microseconds (1,000,000 a second); clamped
    /// to the range of `Int`.
    package func wholeUnits(perSecond: Int) -> Int {
        let (seconds, attoseconds) = components
        let (whole, overflows) = Int(clamping: seconds).multipliedReportingOverflow(by: perSecond)
        if overflows { return seconds < 0 ? .min : .max }
        let rest = Int(attoseconds) / (1_000_000_000_000_000_000 / perSecond)
        let (sum, isTooMuch) = whole.addingReportingOverflow(rest)
        return isTooMuch ? (rest < 0 ? .min : .max) : sum
    }
}

// MARK: - Ranges

extension NumericKey {
    /// 15 digits: more upgrades than there can be, and exact in every language.
    package static let generations = 1...999_999_999_999_999
    private static let processes = 1...Int(Int32.max)
    private static let counts = 0...Int(Int32.max)
    private static let flags = 0...1
}

// MARK: - Who

extension NumericKey {
    package static let generation = NumericKey("GENERATION", generations)
    package static let processID = NumericKey("PID", processes)
    package static let successor = NumericKey("SUCCESSOR", processes)
    /// 0: the successor is not started yet.
    package static let upgrade = NumericKey("UPGRADE", counts)
    /// 0: the operator is in a pid namespace that cannot be seen from the server.
    package static let upgradeBy = NumericKey("UPGRADE_BY", counts)
    package static let maximumGenerations = NumericKey("GENERATIONS_MAX", processes)
}

// MARK: - The channel

extension NumericKey {
    package static let descriptors = NumericKey("FDS", 0...253)
    package static let total = NumericKey("TOTAL", counts)
    package static let batch = NumericKey("BATCH", processes)
    package static let taken = NumericKey("TAKEN", counts)
    package static let size = NumericKey("SIZE", 0...(Int.max - 1))
    /// Of an `upgrade`.
    package static let strict = NumericKey("STRICT", flags)
    /// Of an `offer`.
    package static let hasState = NumericKey("STATE", flags)
    /// Of a `taken`.
    package static let stateSize = NumericKey("STATE", 0...(Int.max - 1))
}

// MARK: - Lengths of time

extension NumericKey {
    package static let timeout = NumericKey("TIMEOUT_MS", .milliseconds)
    package static let drain = NumericKey("DRAIN_MS", .milliseconds)
    package static let deadline = NumericKey("DEADLINE_MS", .milliseconds)
    package static let remaining = NumericKey("REMAINING_MS", .milliseconds)
    package static let elapsed = NumericKey("ELAPSED_US", .microseconds)
    package static let stateTime = NumericKey("STATE_US", .microseconds)
    package static let uptime = NumericKey("UPTIME_US", .microseconds)
    package static let upgradeTime = NumericKey("UPGRADE_US", .microseconds)
    package static let watchdog = NumericKey("WATCHDOG_US", .microseconds)
    package static let began = NumericKey("BEGAN_NS", 0...(Int.max - 1))
    /// The first field of `OLDEST`.
    package static let connectionAge = NumericKey("OLDEST", .microseconds)
}

// MARK: - Counts

extension NumericKey {
    package static let connections = NumericKey("CONNECTIONS", counts)
    package static let cut = NumericKey("CUT", counts)
    package static let listeners = NumericKey("LISTENERS", counts)
    package static let stored = NumericKey("STORED", counts)
    package static let storedMaximum = NumericKey("STORED_MAX", counts)
    /// The third field of a line of a manifest.
    package static let backlog = NumericKey("LISTENER", counts)
    package static let exit = NumericKey("EXIT", 0...255)
    package static let signal = NumericKey("SIGNAL", 1...127)
}

extension NumericKey {
    /// Every key that has a value of its own, for tests that go through them all.
    package static let all: [NumericKey] = [
        generation, processID, successor, upgrade, upgradeBy, maximumGenerations, descriptors,
        total, taken, size, strict, hasState, stateSize, timeout, drain, deadline, remaining,
        elapsed,
        stateTime, uptime, upgradeTime, watchdog, began, connections, cut, listeners, stored,
        storedMaximum, exit, signal,
    ]
}

// MARK: - In messages

extension Message {
    /// The first value of a key; nil if it is absent, no number, or outside of its range.
    package func number(_ key: NumericKey) -> Int? {
        text(key.name).flatMap { WireNumber.parse($0, in: key.range) }
    }

    /// False: the key is there, and what it says is no number of its range.
    func isAbsentOrValid(_ key: NumericKey) -> Bool {
        fields.contains { $0.key == key.name } ? number(key) != nil : true
    }

    /// The length of time that a key says; nil as ``number(_:)``.
    func duration(_ key: NumericKey) -> Duration? {
        number(key).map { key.unit == .microseconds ? .microseconds($0) : .milliseconds($0) }
    }

    /// The pid that a key says; nil as ``number(_:)``.
    func processID(_ key: NumericKey) -> Int32? {
        number(key).map { Int32(clamping: $0) }
    }

    /// Adds a number; one outside of the range becomes the nearest in it, as the other side would
    /// refuse it.
    package mutating func add(_ key: NumericKey, _ value: Int) {
        add(key.name, min(max(value, key.range.lowerBound), key.range.upperBound))
    }

    /// Adds a length of time in the unit of the key, rounded down.
    mutating func add(_ key: NumericKey, _ value: Duration) {
        add(key.name, key.clamped(value))
    }
}
