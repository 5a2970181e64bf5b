// SPDX-License-Identifier: Apache-2.0

import Succession

/// The command line.
///
/// Read by hand: a parser library would take longer to start than the rest of the program.
struct Options {
    static let usage = """
        usage: web --service NAME [--http ADDRESS]… [--echo ADDRESS]… [--udp ADDRESS]…
                   [--drain 30s] [--start-delay 0ms] [--threads 1] [--config FILE]
        """

    var service = ""
    var http: [ListenAddress] = []
    var echo: [ListenAddress] = []
    var udp: [ListenAddress] = []
    var drain = Duration.seconds(30)
    /// How long this server pretends to load something before it is ready.
    var startDelay = Duration.zero
    var threads = 1
    /// Read again at `swapctl reload` and at SIGHUP.
    var config: String?

    init(_ arguments: some Sequence<String>) throws {
        var arguments = arguments.makeIterator()
        while let option = arguments.next() {
            guard let value = arguments.next() else {
                throw UsageError("'\(option)' without a value")
            }
            switch option {
            case "--service": service = value
            case "--http": http.append(try Self.address(value))
            case "--echo": echo.append(try Self.address(value))
            case "--udp": udp.append(try Self.address(value))
            case "--drain": drain = try Self.duration(value, of: option)
            case "--start-delay": startDelay = try Self.duration(value, of: option)
            case "--config": config = value
            case "--threads":
                guard let number = Int(value), 1...256 ~= number else {
                    throw UsageError("--threads \(value): not a number between 1 and 256")
                }
                threads = number
            default: throw UsageError("unknown option '\(option)'")
            }
        }
        if service.isEmpty { throw UsageError("--service is missing") }
        if http.isEmpty && echo.isEmpty && udp.isEmpty {
            throw UsageError("nothing to listen on: --http, --echo or --udp")
        }
    }

    private static func address(_ text: String) throws -> ListenAddress {
        do {
            return try ListenAddress(text)
        } catch {
            throw UsageError(error.message)
        }
    }

    private static func duration(_ text: String, of option: String) throws -> Duration {
        let digits = text.prefix { $0.isNumber }
        guard let number = Int64(digits), number < 1_000_000_000 else {
            throw UsageError("\(option) \(text): not a time such as 300ms, 30s or 5m")
        }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        default: throw UsageError("\(option) \(text): the unit is ms, s or m")
        }
    }
}

/// The command line makes no sense.
struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
