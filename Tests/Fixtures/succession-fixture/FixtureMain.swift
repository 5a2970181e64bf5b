// SPDX-License-Identifier: Apache-2.0

import Succession
import SuccessionSystem

/// A server with at most one fault, for tests with real processes.
///
///     succession-fixture serve --service NAME --listen NAME=ADDRESS … [--fault FAULT] …
///     succession-fixture peer FAULT
///     succession-fixture watch SERVICE CURRENT FAULT [PROGRAM ARGUMENT …]
@main
enum FixtureMain {
    static func main() async {
        let arguments = Array(ProcessEnvironment.arguments().dropFirst())
        do {
            switch arguments.first {
            case "serve": try await EchoServer(Options(Array(arguments.dropFirst()))).run()
            case "peer": try MisbehavingPeer(arguments.dropFirst().first ?? "").run()
            case "watch": try FaultyWatch(Array(arguments.dropFirst())).run()
            default: throw UsageError("serve, peer or watch?")
            }
        } catch {
            try? Syscall.writeAll(2, Array("fixture: \(error)\n".utf8))
            ProcessExit.runHandlers()
            ProcessExit.immediately(status: 1)
        }
    }
}

struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
