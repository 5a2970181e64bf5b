// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import ServiceLifecycle
import Succession
import SuccessionLifecycle
import SuccessionLogging

@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, arguments[1] == "--service", arguments[3] == "--listen" else {
            leave("usage: lifecycle --service NAME --listen tcp:127.0.0.1:7777", status: 64)
        }
        do {
            try await serve(arguments[2], at: ListenAddress(arguments[4]))
        } catch {
            leave("lifecycle: \(error)", status: 1)
        }
    }

    // snippet serve
    static func serve(_ service: String, at address: ListenAddress) async throws {
        let logger = Logger(label: "lifecycle")
        var configuration = GenerationConfiguration()
        configuration.log(to: logger)
        configuration.exitGrace = .seconds(5)
        let generation = try await Generation.begin(service, configuration: configuration)
        let listener = try generation.listener("echo", orBind: address)

        // Its signals are the group's from now on; SIGUSR2 is left to the generation.
        var group = ServiceGroupConfiguration(
            services: [.init(service: EchoService(listener))],
            gracefulShutdownSignals: [.sigterm], cancellationSignals: [.sigint], logger: logger)
        group.serve(generation)
        try await ServiceGroup(configuration: group).run()
    }
    // end serve

    private static func leave(_ message: String, status: Int32) -> Never {
        let line = Array("\(message)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        exit(status)
    }
}
