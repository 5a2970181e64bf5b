// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

/// Options of the verbs that use a release directory.
struct SiteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The file that names the current release, or its directory (default: see below).",
            valueName: "path"))
    var current: String?

    @Option(
        help: ArgumentHelp(
            "The prefix of the links, app in app.bin (default: the name of the directory).",
            valueName: "name"))
    var name: String?

    static let help = """
        The release directory is beside the file --current. Without the option it is beside \
        $SUCCESSION_CURRENT, else where the service runs from, else in the working directory.
        """

    func site(_ service: Service? = nil) throws(ControlError) -> ReleaseSite {
        try ReleaseSite.locate(current: current, name: name, service: service)
    }
}

extension Reporter {
    /// Runs the body of a verb that works on files, and reports its error.
    static func run(
        json: Bool, _ body: (inout Reporter) throws -> Void
    ) throws {
        var options = CommonOptions()
        options.json = json
        var reporter = Reporter(options)
        do {
            try body(&reporter)
        } catch let error as ControlError {
            throw reporter.fail(error, service: nil)
        }
    }

    /// Writes JSON objects, or lines for the operator.
    func list(_ objects: [JSONValue], _ lines: [String], json: Bool) {
        if json {
            for object in objects { write(object) }
        } else {
            StandardStream.output.write(lines.map { $0.terminalSafe + "\n" }.joined())
        }
    }
}
#endif
