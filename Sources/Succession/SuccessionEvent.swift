// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// Something an operator may want to read in the log.
public struct SuccessionEvent: Sendable, Hashable, CustomStringConvertible {
    /// How much attention it wants.
    public enum Level: String, Sendable, Hashable {
        case info, warning, error
    }

    /// How much attention it wants.
    public let level: Level
    /// The name of the service.
    public let service: String
    /// The number of the generation that reports.
    public let generation: Int
    /// One sentence for a person.
    public let message: String

    /// One line for a log.
    public var description: String {
        let mark = level == .info ? "" : "\(level.rawValue): "
        return "\(service)[\(generation)] \(mark)\(message)"
    }

    /// Writes one line to standard error: what a generation does with its events unless told
    /// otherwise.
    public static func printToStandardError(_ event: SuccessionEvent) {
        try? Syscall.writeAll(2, Array("\(event)\n".utf8))
    }
}
