// SPDX-License-Identifier: Apache-2.0

import Glibc
import Succession

/// The command line of the examples in this package: `--name value` pairs.
package struct Options: Sendable {
    package let service: String
    package let listen: ListenAddress
    package let configuration: GenerationConfiguration
    /// How long the server pretends to load something before it is ready.
    package let startDelay: Duration
    package let threads: Int
    private let values: [String: String]

    /// Reads the arguments of this process; leaves with status 64 if they make no sense.
    package static func read(_ program: String, also names: [String] = []) -> Options {
        do {
            return try Options(CommandLine.arguments.dropFirst(), also: names)
        } catch {
            let more = names.map { " --\($0) VALUE" }.joined()
            leave(
                "\(program): \(error)\nusage: \(program) --service NAME --listen ADDRESS\(more)"
                    + " [--drain 30s] [--start-delay 0ms] [--threads 2]", status: 64)
        }
    }

    /// One of the options that only this program has.
    package subscript(name: String) -> String { values[name] ?? "" }

    private init(_ arguments: ArraySlice<String>, also names: [String]) throws {
        var values = ["drain": "30s", "start-delay": "0ms", "threads": "2"]
        let known = ["service", "listen"] + names
        var rest = arguments
        while let option = rest.popFirst() {
            let name = String(option.dropFirst(2))
            guard option.hasPrefix("--"), known.contains(name) || values[name] != nil,
                let value = rest.popFirst()
            else { throw UsageError("unknown option or no value: '\(option)'") }
            values[name] = value
        }
        for name in known where values[name] == nil { throw UsageError("--\(name) is missing") }
        self.values = values
        service = values["service"] ?? ""
        listen = try ListenAddress(values["listen"] ?? "")
        var configuration = GenerationConfiguration()
        configuration.drainDeadline = try Self.duration(values["drain"] ?? "")
        configuration.exitGrace = .seconds(5)
        self.configuration = configuration
        startDelay = try Self.duration(values["start-delay"] ?? "")
        threads = max(1, Int(values["threads"] ?? "") ?? 2)
    }

    private static func duration(_ text: String) throws -> Duration {
        let digits = text.prefix { $0.isNumber }
        switch (Int64(digits), text.dropFirst(digits.count)) {
        case (let number?, "ms") where number < 1 << 40: return .milliseconds(number)
        case (let number?, "s") where number < 1 << 30: return .seconds(number)
        default: throw UsageError("'\(text)' is no time such as 300ms or 30s")
        }
    }
}

struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Ends the process with a message.
package func leave(_ message: String, status: Int32) -> Never {
    let line = Array("\(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(status)
}
