// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

/// Writes progress and results, for people or for programs, and ends the command with its exit status.
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

    /// Writes the result; `lines` are for people, and the last of them says which generation serves.
    ///
    /// The object has the warnings already.
    mutating func conclude(
        _ result: JSONValue, _ lines: [String], warnings: [String] = [],
        _ exitCode: SwapControl.ExitCode
    ) throws {
        if isJSON {
            write(result)
        } else {
            StandardStream.error.write(progress.closing())
            for warning in warnings {
                StandardStream.error.write("swapctl: warning: \(warning.terminalSafe)\n")
            }
            for line in lines { StandardStream.output.write(line.terminalSafe + "\n") }
        }
        if exitCode != .done { throw ArgumentParser.ExitCode(exitCode.rawValue) }
    }

    /// Writes why the command failed, and which generation serves.
    mutating func fail(_ error: ControlError, service: Service?) -> ArgumentParser.ExitCode {
        // The owner of the site, whose rights this process may have taken, may not be allowed to ask the server.
        SiteRights.restoreOwn()
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

    /// Ends the line that shows the running step.
    mutating func closing() -> String { progress.closing() }

    func write(_ object: JSONValue) {
        StandardStream.output.write(JSONLine.text(object) + "\n")
    }
}

extension Reporter {
    /// Runs the body of a verb for one service, and reports the error that it throws.
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

    /// The same, for a service that was located before.
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
