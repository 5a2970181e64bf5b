// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Synchronization
import Testing

/// Checks every line that swapctl writes with `--json` in these tests against docs/schema.
///
/// One validator process serves all tests: it is Python, and takes a while to start.
enum OutputSchema {
    private static let validator = Mutex<ChildProcess?>(nil)
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Schema/validate.py").standardizedFileURL.path

    /// The name of the schema that a line follows, or what is wrong with the line.
    static func check(_ line: String) throws -> (name: String?, problem: String) {
        try validator.withLock { validator in
            let process =
                try validator ?? ChildProcess("/usr/bin/env", ["python3", script])
            validator = process
            try process.write(line + "\n")
            // Nothing is written to standard output but answers.
            let answer = try process.line("")
            return answer.hasPrefix("ok ") ? (String(answer.dropFirst(3)), "") : (nil, answer)
        }
    }

    /// Records an issue for each line that follows no schema.
    static func expectValid(_ output: String) {
        for line in output.split(separator: "\n") {
            do {
                let (name, problem) = try check(String(line))
                if name == nil { Issue.record("\(problem)") }
            } catch {
                Issue.record("the validator did not answer: \(error)")
            }
        }
    }

    /// Whether a process is a swapctl that was asked for lines of JSON.
    static func covers(_ path: String, _ arguments: [String]) -> Bool {
        path == Binaries.swapctl && arguments.prefix { $0 != "--" }.contains("--json")
    }
}
