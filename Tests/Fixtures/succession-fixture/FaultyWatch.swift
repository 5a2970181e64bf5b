// SPDX-License-Identifier: Apache-2.0

import SwapControl
import SwapReleases

/// `swapctl watch` with a fault at one step of its first switch.
struct FaultyWatch {
    let service: Service
    let site: ReleaseSite
    let options: SwitchOptions

    init(_ arguments: [String]) throws {
        guard arguments.count >= 3 else { throw UsageError("watch SERVICE CURRENT FAULT?") }
        service = try Service.locate(arguments[0])
        site = try ReleaseSite.locate(current: arguments[1])
        let fault = try Fault(arguments[2])
        var options = SwitchOptions()
        options.command = try SuccessorCommand(Array(arguments.dropFirst(3)))
        options.onStep = { fault.happen(at: $0) }
        self.options = options
    }

    func run() throws {
        let watcher = try Watcher(site, service, options, patience: .milliseconds(200)) { report in
            switch report {
            case .note(let text): StandardStream.output.write("note \(text)\n")
            case .outcome(let outcome): StandardStream.output.write("\(outcome.sentence)\n")
            case .problem(let error): StandardStream.output.write("problem \(error.message)\n")
            case .ready: StandardStream.output.write("watching\n")
            case .progress, .stopping: break
            }
        }
        try watcher.run()
    }
}
