// SPDX-License-Identifier: Apache-2.0

/// The result of a run, as JSON or as a table.
struct Report {
    let tally: Tally
    let started: MonotonicTime
    let ended: MonotonicTime

    /// A duration in milliseconds with three digits after the point.
    static func milliseconds(_ nanoseconds: Int64) -> String {
        let micros = nanoseconds / 1_000
        let fraction = String(micros % 1_000)
        return "\(micros / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }

    private var generations: [(pid: Int32, seen: Tally.Sightings)] {
        tally.generations.map { (pid: $0.key, seen: $0.value) }
            .sorted { $0.seen.first < $1.seen.first }
    }

    private var kinds: [(kind: Kind, line: Tally.Line)] {
        Kind.allCases.compactMap { kind in tally.lines[kind].map { (kind: kind, line: $0) } }
    }

    private var latency: Histogram {
        var all = Histogram()
        for (kind, line) in kinds where kind.isHTTP { all.add(line.latency) }
        return all
    }

    /// One object on one line.
    var json: String {
        let byKind = kinds.map { kind, line in
            "\"\(kind.rawValue)\":{\"requests\":\(line.requests),\"failed\":\(line.failed),"
                + "\(Self.fields(of: line.latency))}"
        }
        let byCategory = Failure.Category.allCases.map {
            "\"\($0.rawValue)\":\(tally.categories[$0] ?? 0)"
        }
        let errnos = tally.errnos.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        let seen = generations.map { pid, seen in
            "{\"pid\":\(pid),\"firstSeenMs\":\(Self.milliseconds(seen.first - started)),"
                + "\"lastSeenMs\":\(Self.milliseconds(seen.last - started)),"
                + "\"count\":\(seen.count)}"
        }
        return "{\"requests\":\(tally.requests),\"failed\":\(tally.failed),"
            + "\"startedMonotonicMs\":\(Self.milliseconds(started.nanoseconds)),"
            + "\"elapsedMs\":\(Self.milliseconds(ended - started)),"
            + "\"byKind\":{\(byKind.joined(separator: ","))},"
            + "\"byCategory\":{\(byCategory.joined(separator: ","))},"
            + "\"errnos\":{\(errnos.joined(separator: ","))},"
            + "\"generations\":[\(seen.joined(separator: ","))],"
            + "\"latency\":{\(Self.fields(of: latency))}}\n"
    }

    /// A table for people.
    var table: String {
        let header = ["KIND", "REQUESTS", "FAILED", "P50 MS", "P99 MS", "MAX MS"]
        var rows = kinds.map { kind, line in
            [kind.rawValue, "\(line.requests)", "\(line.failed)"] + Self.columns(of: line.latency)
        }
        rows.append(
            ["all (ms: HTTP)", "\(tally.requests)", "\(tally.failed)"]
                + Self.columns(of: latency))
        var text = ([header] + rows).map(Self.row).joined()
        for (category, count) in tally.categories.sorted(by: { $0.key.rawValue < $1.key.rawValue })
        {
            text += "\(category.rawValue): \(count)\n"
        }
        for (code, count) in tally.errnos.sorted(by: { $0.key < $1.key }) {
            text += "  errno \(code): \(count)\n"
        }
        for (pid, seen) in generations {
            text += "generation with pid \(pid): \(seen.count) answers, first after "
            text += "\(Self.milliseconds(seen.first - started)) ms\n"
        }
        return text
    }

    private static func fields(of latency: Histogram) -> String {
        let values = columns(of: latency)
        return "\"p50Ms\":\(values[0]),\"p99Ms\":\(values[1]),\"maxMs\":\(values[2])"
    }

    private static func columns(of latency: Histogram) -> [String] {
        [latency.percentile(0.5), latency.percentile(0.99), latency.maximum].map(milliseconds)
    }

    private static func row(_ cells: [String]) -> String {
        let name = cells[0] + String(repeating: " ", count: max(0, 24 - cells[0].count))
        let numbers = cells.dropFirst().map { cell in
            String(repeating: " ", count: max(1, 11 - cell.count)) + cell
        }
        return name + numbers.joined() + "\n"
    }
}
