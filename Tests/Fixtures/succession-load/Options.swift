// SPDX-License-Identifier: Apache-2.0

/// The command line.
struct Options: Sendable {
    static let usage = """
        usage: succession-load [--http tcp:HOST:PORT|unix:/PATH]… [--echo tcp:HOST:PORT]…
                 [--udp udp:HOST:PORT]… [--threads-per-target N] [--rate N] [--timeout 10s]
                 [--hold 2s] [--duration 5s] [--announce] [--json]

          --threads-per-target  threads for each kind of quick request to each target (2)
          --rate                requests a second of each thread (300)
          --timeout             for each request (10s)
          --hold                how long a held echo connection lives; 0s: none are held (2s)
          --duration            when to stop; without it, when standard input is closed
          --announce            say on standard error when a generation answers for the first time
          --json                print one JSON object instead of a table

        Hosts are numeric. Exit status: 0 no failure, 1 some request failed, 64 usage.

        """

    private(set) var http: [Target] = []
    private(set) var echo: [Target] = []
    private(set) var udp: [Target] = []
    private(set) var threadsPerTarget = 2
    private(set) var rate = 300
    private(set) var timeout: Int64 = 10_000_000_000
    private(set) var hold: Int64 = 2_000_000_000
    private(set) var duration: Int64?
    private(set) var announce = false
    private(set) var json = false
    private(set) var help = false

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--announce": announce = true
            case "--json": json = true
            case "--help", "-h": help = true
            default:
                guard let value = rest.popFirst() else { throw UsageError("\(name): no value") }
                try set(name, to: value)
            }
        }
        guard help || !(http.isEmpty && echo.isEmpty && udp.isEmpty) else {
            throw UsageError("nothing to load: give --http, --echo or --udp")
        }
    }

    private mutating func set(_ name: String, to value: String) throws(UsageError) {
        switch name {
        case "--http": http.append(try target(name, value, ["tcp", "unix"]))
        case "--echo": echo.append(try target(name, value, ["tcp", "unix"]))
        case "--udp": udp.append(try target(name, value, ["udp"]))
        case "--threads-per-target": threadsPerTarget = try count(name, value)
        case "--rate": rate = try count(name, value)
        case "--timeout": timeout = try time(name, value)
        case "--hold": hold = try time(name, value)
        case "--duration": duration = try time(name, value)
        default: throw UsageError("unknown option \(name)")
        }
    }

    private func target(
        _ name: String, _ value: String, _ schemes: Set<String>
    ) throws(UsageError) -> Target {
        guard let target = Target(value, schemes: schemes) else {
            throw UsageError("\(name): \"\(value)\" is not a numeric address of this kind")
        }
        return target
    }

    private func count(_ name: String, _ value: String) throws(UsageError) -> Int {
        guard let number = Int(value), (1...100_000).contains(number) else {
            throw UsageError("\(name): \"\(value)\" is not a number from 1 to 100000")
        }
        return number
    }

    /// Reads `250ms`, `5s` or `2m`.
    private func time(_ name: String, _ value: String) throws(UsageError) -> Int64 {
        let units: [(String, Int64)] = [
            ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ]
        for (suffix, factor) in units where value.hasSuffix(suffix) {
            if let number = Int64(value.dropLast(suffix.count)), (0...86_400_000).contains(number) {
                return number * factor
            }
        }
        throw UsageError("\(name): \"\(value)\" is not a duration such as 250ms, 5s or 2m")
    }
}

/// A command line that cannot be obeyed.
struct UsageError: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
