// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// Something an operator may want to read in the log, and a program may want to count.
public struct SuccessionEvent: Sendable, Hashable, CustomStringConvertible {
    /// How much attention an event needs, as in the usual logging libraries.
    ///
    /// Like ``Kind``, it may gain cases.
    #if compiler(>=6.2.3)
    @nonexhaustive
    #endif
    public enum Level: String, Sendable, Hashable {
        /// Steps and figures, for who looks for a fault; not printed by default.
        case debug
        /// What happens in the course of things.
        case info
        /// The service goes on, and somebody should look.
        case warning
        /// Something that was asked for has failed.
        case error
    }

    /// How much attention it wants.
    public let level: Level
    /// The name of the service.
    public let service: String
    /// The number of the generation that reports.
    public let generation: Int
    /// Pid of the process that reports.
    public let processID: Int32
    /// What happened, for programs.
    public let kind: Kind
    /// One sentence for a person.
    public let message: String

    /// An event as a generation makes it; for tests of what is done with events.
    public init(
        level: Level, service: String, generation: Int, processID: Int32, kind: Kind = .note,
        message: String
    ) {
        self.level = level
        self.service = service
        self.generation = generation
        self.processID = processID
        self.kind = kind
        self.message = message
    }

    /// One line for a log.
    public var description: String {
        let mark = level == .debug || level == .info ? "" : "\(level.rawValue): "
        return "\(service)[\(generation)] \(mark)\(message)"
    }

    /// Writes one line to standard error, unless the event is of level `debug`: what a generation
    /// does with its events unless told otherwise.
    ///
    /// Never waits: a line for which there is no room, because standard error is a pipe that nobody
    /// reads, is left out.
    public static func printToStandardError(_ event: SuccessionEvent) {
        guard event.level != .debug else { return }
        // What a successor or an application said must not pass for another line, or drive a terminal.
        Syscall.writeWithoutWaiting(2, Array((TerminalText.line("\(event)") + "\n").utf8))
    }
}
