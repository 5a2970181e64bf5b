// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SuccessionReleases
import SwapControl

/// Writes what happens, for people or for programs, and ends the command with its exit status.
struct Reporter {
    let isJSON: Bool
    private var progress: ProgressText
    let progressMode: ProgressMode

    init(_ options: CommonOptions) {
        isJSON = options.json
        let isLive = !options.json && StandardStream.error.isTerminal
        progress = ProgressText(isLive: isLive)
        progressMode = isLive ? .live : .quiet
    }

    mutating func observe(_ event: ControlEvent) {
        if isJSON {
            if let object = JSONValue.event(event) { write(object) }
        } else {
            StandardStream.error.write(progress.text(for: event))
        }
    }

    /// Writes the result; `lines` are for people, and the last of them says who serves now.
    mutating func conclude(
        _ result: JSONValue, _ lines: [String], warning: String? = nil,
        _ exitCode: SwapControl.ExitCode
    ) throws {
        if isJSON {
            write(result)
        } else {
            StandardStream.error.write(progress.closing())
            if let warning {
                StandardStream.error.write("swapctl: warning: \(warning.terminalSafe)\n")
            }
            for line in lines { StandardStream.output.write(line.terminalSafe + "\n") }
        }
        if exitCode != .done { throw ArgumentParser.ExitCode(exitCode.rawValue) }
    }

    /// Writes why the command could not do what it should, and who serves.
    mutating func fail(_ error: ControlError, service: Service?) -> ArgumentParser.ExitCode {
        // A directory nobody may enter, or that is not there, needs no second look.
        // Whoever owns the site may not ask the server.
        SiteRights.giveBack()
        let serving = service.map { ControlClient($0).servingState() }
        if isJSON {
            write(.error(error, service: service?.name, serving: serving ?? .unknown))
        } else {
            StandardStream.error.write(progress.closing())
            StandardStream.error.write("swapctl: \(error.message.terminalSafe)\n")
            if let service, let serving {
                StandardStream.output.write(serving.sentence(service.name) + "\n")
            }
        }
        return ArgumentParser.ExitCode(error.exitCode.rawValue)
    }

    /// Ends a line that shows what runs.
    mutating func closing() -> String { progress.closing() }

    func write(_ object: JSONValue) {
        StandardStream.output.write(JSONLine.text(object) + "\n")
    }
}

extension Reporter {
    /// Runs the body of a verb for one service; whatever it throws is reported.
    static func run(
        _ name: String, _ options: CommonOptions,
        _ body: (Service, inout Reporter) throws -> Void
    ) throws {
        var reporter = Reporter(options)
        var service: Service?
        do {
            let found = try Service.locate(name, runtimeDirectory: options.runtimeDirectory)
            service = found
            try body(found, &reporter)
        } catch let error as ControlError {
            throw reporter.fail(error, service: service)
        }
    }

    /// The same for a service that was found otherwise.
    static func run(
        _ service: Service, _ options: CommonOptions,
        _ body: (Service, inout Reporter) throws -> Void
    ) throws {
        var reporter = Reporter(options)
        do {
            try body(service, &reporter)
        } catch let error as ControlError {
            throw reporter.fail(error, service: service)
        }
    }
}
#endif
