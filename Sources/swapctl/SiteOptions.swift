// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SuccessionReleases
import SwapControl

/// Options of the verbs that look at a release directory.
struct SiteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The file that names the current release, or its directory (default: see below).",
            valueName: "path"))
    var current: String?

    @Option(
        help: ArgumentHelp(
            "What the links are called, as app in app.bin (default: as the directory).",
            valueName: "name"))
    var name: String?

    static let help = """
        The release directory is the one beside --current, which is current.conf unless given; \
        without it $SUCCESSION_CURRENT counts, then the directory from which the service runs, then \
        the working directory.
        """

    func site(_ service: Service? = nil) throws(ControlError) -> ReleaseSite {
        try ReleaseSite.locate(current: current, name: name, service: service)
    }
}

extension Reporter {
    /// Runs the body of a verb that is about files; whatever it throws is reported.
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

    /// Writes many objects for programs, or lines for people.
    func list(_ objects: [JSONValue], _ lines: [String], json: Bool) {
        if json {
            for object in objects { write(object) }
        } else {
            StandardStream.output.write(lines.map { $0.terminalSafe + "\n" }.joined())
        }
    }
}
#endif
