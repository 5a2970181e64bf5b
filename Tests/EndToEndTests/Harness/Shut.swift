// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem

/// The surroundings in which `succession-sandbox` runs a program.
struct Shut: Sendable, CustomStringConvertible {
    /// Options of `succession-sandbox`; `@@` stands for the service's directory.
    let options: [String]

    init(_ options: String...) {
        self.options = options
    }

    init(_ options: [String]) {
        self.options = options
    }

    var description: String { options.joined(separator: " ") }

    /// Whether this machine and user can make them; if not, the reason has been printed.
    ///
    /// Where a skip is a failure this is true, and the tests fail.
    var isPossible: Bool {
        let environment = ProcessInfo.processInfo.environment
        if environment["CI"] == "true", ProcessEnvironment.effectiveUserID == 0 { return true }
        let directory =
            NSTemporaryDirectory() + "/succession-trial-\(UInt32.random(in: 0 ... .max))"
        try? FileManager.default.createDirectory(
            atPath: directory + "/run", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        guard
            let trial = try? ChildProcess(
                Binaries.sandbox, placed(in: directory) + ["--", "/bin/true"]),
            let status = try? trial.waitForExit(), status == .exited(77)
        else { return true }
        print("skipped: \(self): \(trial.standardError)")
        return false
    }

    func placed(in directory: String) -> [String] {
        options.map { $0.replacingOccurrences(of: "@@", with: directory) }
    }
}
