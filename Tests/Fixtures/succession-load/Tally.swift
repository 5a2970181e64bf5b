// SPDX-License-Identifier: Apache-2.0

/// The kinds of traffic, in the order of the report.
enum Kind: String, CaseIterable {
    case connectionPerRequest = "connection-per-request"
    case keepAlive = "keep-alive"
    case slow
    case body
    case echo
    case heldEcho = "echo-held"
    case datagram = "udp"

    /// Whether its durations count as latency of HTTP.
    var isHTTP: Bool {
        switch self {
        case .connectionPerRequest, .keepAlive, .slow, .body: true
        case .echo, .heldEcho, .datagram: false
        }
    }
}

/// What one worker counted; workers share nothing, so their tallies are added up at the end.
struct Tally {
    /// The counts of one kind of traffic.
    struct Line {
        var requests = 0
        var failed = 0
        var latency = Histogram()
    }

    /// When a generation answered, and how often.
    struct Sightings {
        var first: MonotonicTime
        var last: MonotonicTime
        var count: Int
    }

    private(set) var lines: [Kind: Line] = [:]
    private(set) var categories: [Failure.Category: Int] = [:]
    private(set) var errnos: [Int32: Int] = [:]
    private(set) var generations: [Int32: Sightings] = [:]

    var requests: Int { lines.values.reduce(0) { $0 + $1.requests } }
    var failed: Int { lines.values.reduce(0) { $0 + $1.failed } }

    mutating func succeed(_ kind: Kind, from start: MonotonicTime, to end: MonotonicTime) {
        lines[kind, default: Line()].requests += 1
        lines[kind, default: Line()].latency.add(nanoseconds: end - start)
    }

    mutating func fail(_ kind: Kind, _ failure: Failure) {
        lines[kind, default: Line()].requests += 1
        lines[kind, default: Line()].failed += 1
        categories[failure.category, default: 0] += 1
        if failure.errno != 0 { errnos[failure.errno, default: 0] += 1 }
    }

    mutating func see(generation pid: Int32, at time: MonotonicTime) {
        merge(Sightings(first: time, last: time, count: 1), of: pid)
    }

    mutating func add(_ other: Tally) {
        for (kind, line) in other.lines {
            lines[kind, default: Line()].requests += line.requests
            lines[kind, default: Line()].failed += line.failed
            lines[kind, default: Line()].latency.add(line.latency)
        }
        categories.merge(other.categories, uniquingKeysWith: +)
        errnos.merge(other.errnos, uniquingKeysWith: +)
        for (pid, sightings) in other.generations { merge(sightings, of: pid) }
    }

    private mutating func merge(_ new: Sightings, of pid: Int32) {
        guard let known = generations[pid] else {
            generations[pid] = new
            return
        }
        generations[pid] = Sightings(
            first: min(known.first, new.first), last: max(known.last, new.last),
            count: known.count + new.count)
    }
}
