// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The verdict of systemd-analyze on units; no manager has to run.
enum SystemdAnalyze {
    static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")

    /// The complaints of `verify`; empty: there are none.
    static func verify(_ units: [(String, String)], isForUser: Bool = false) throws -> String {
        try withFiles(units) { paths in
            let result = try run((isForUser ? ["--user"] : []) + ["verify", "--man=no"] + paths)
            return result.status == 0 && result.output.isEmpty
                ? "" : result.output + "exit status \(result.status)"
        }
    }

    /// Nil if the exposure of a service is at most that many tenths.
    static func security(_ unit: (String, String), threshold: Int) throws -> String? {
        try withFiles([unit]) { paths in
            let result = try run(
                ["security", "--offline=yes", "--no-pager", "--threshold=\(threshold)"] + paths)
            return result.status == 0 ? nil : result.output
        }
    }

    private static func withFiles<Result>(
        _ units: [(String, String)], _ body: ([String]) throws -> Result
    ) throws -> Result {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "succession-units-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, text) in units {
            try Data(text.utf8).write(to: directory.appending(path: name))
        }
        return try body(units.map { directory.appending(path: $0.0).path })
    }

    private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/systemd-analyze")
        process.arguments = arguments
        // The manager of a user needs a runtime directory.
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": "/", "XDG_RUNTIME_DIR": "/run"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
