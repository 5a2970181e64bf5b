// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOPosix
import Succession

@main
enum Main {
    // Not async: the thread of an async main is ended, for which the C library loads another one
    // when the first connections are waiting.
    static func main() {
        let thread = MainThread()
        Task(executorPreference: thread) {
            do {
                try await serve(Options(CommandLine.arguments.dropFirst()))
                exit(0)
            } catch let error as UsageError {
                leave("web: \(error)\n\(Options.usage)", status: 64)
            } catch {
                leave("web: \(error)", status: 1)
            }
        }
        thread.run()
    }

    private static func serve(_ options: Options) async throws {
        var configuration = GenerationConfiguration()
        configuration.drainDeadline = options.drain
        configuration.exitGrace = .seconds(5)
        if options.config != nil { configuration.signals[.hangUp] = .reload }
        // While the predecessor hands over; they do not read the environment, which begin changes.
        async let threads = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        let generation = try await Generation.begin(
            options.service, configuration: configuration)
        if let path = options.config {
            try CurrentSettings.shared.load(path)
            let reloads = generation.reloads
            Task { await CurrentSettings.shared.follow(reloads, path) }
        }
        let server = Server(generation, threads: await threads)
        for address in options.http { try await server.serveHTTP(at: address) }
        for address in options.echo { try await server.serveEcho(at: address) }
        for address in options.udp { try await server.serveDatagrams(at: address) }
        if options.startDelay > .zero { try await Task.sleep(for: options.startDelay) }

        try await generation.ready()
        await generation.draining()
        await generation.drained()
    }

    private static func leave(_ message: String, status: Int32) -> Never {
        let line = Array("\(message)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        exit(status)
    }
}
