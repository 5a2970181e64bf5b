// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A throw-away systemd for each case, booted by Tests/Systemd/sandbox/run.
enum Sandbox {
    /// A case has failed.
    struct CaseFailed: Error, CustomStringConvertible {
        let description: String
    }

    /// How the sandbox says that this machine or user cannot do it.
    private static let skipped: Int32 = 77
    /// Seconds; a case takes less than ten.
    private static let limit = 60

    /// The root of the package, four levels above this file.
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let binaries =
        ProcessInfo.processInfo.environment["SUCCESSION_BIN"].map { URL(filePath: $0) }
        ?? root.appending(path: "dist/bin")

    /// Whether a systemd can be booted here; if not, the reason has been printed.
    ///
    /// Where a skip is a failure this is true, and the cases fail.
    static let isPossible: Bool = {
        guard let result = try? boot(["true"]), result.status == skipped else { return true }
        print(result.output)
        return false
    }()

    /// Boots a systemd, runs the case Tests/Systemd/cases/FILE.py FUNCTION beside it, and throws
    /// what it and the services have logged unless all was well.
    static func run(_ name: String) throws {
        let result = try boot([root.appending(path: "Tests/Systemd/case").path, name])
        guard result.status == 0 else {
            throw CaseFailed(description: "\(name): status \(result.status)\n\(result.output)")
        }
    }

    private static func boot(_ command: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = root.appending(path: "Tests/Systemd/sandbox/run")
        process.arguments =
            [
                "--bind", root.path, "--bind", binaries.path, "--limit", "\(limit)",
                "--env", "SUCCESSION_BIN=\(binaries.path)",
                "--env", "PYTHONDONTWRITEBYTECODE=1", "--",
            ] + command
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        // It ends at its limit at the latest.
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
