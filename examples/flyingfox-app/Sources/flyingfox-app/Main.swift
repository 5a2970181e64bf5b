// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import Foundation
import Succession
import SuccessionFlyingFox

@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, arguments[1] == "--service", arguments[3] == "--http" else {
            leave("usage: flyingfox-app --service NAME --http tcp:127.0.0.1:8080", status: 64)
        }
        do {
            try await serve(arguments[2], at: ListenAddress(arguments[4]))
        } catch {
            leave("flyingfox-app: \(error)", status: 1)
        }
    }

    static func serve(_ service: String, at address: ListenAddress) async throws {
        // snippet serve
        var configuration = GenerationConfiguration()
        configuration.exitGrace = .seconds(5)
        let generation = try await Generation.begin(service, configuration: configuration)
        let listener = try generation.listener("http", orBind: address)
        // was: HTTPServer(port: 8080, handler: routes()).run()
        try await AdoptedServer(routes(), on: [listener], of: generation).run()
        // end serve
    }

    static func routes() -> RoutedHTTPHandler {
        let generation: HTTPHeaders = [HTTPHeader("X-Generation"): "\(getpid())"]
        var routes = RoutedHTTPHandler()
        routes.appendRoute("GET /") { _ in
            HTTPResponse(statusCode: .ok, headers: generation, body: Data("hello\n".utf8))
        }
        routes.appendRoute("GET /client") { request in
            let client = request.remoteIPAddress ?? "unknown"
            return HTTPResponse(
                statusCode: .ok, headers: generation, body: Data("\(client)\n".utf8))
        }
        routes.appendRoute("GET /body") { request in
            let chunks = request.query["chunks"].flatMap { Int($0) } ?? 10
            let pause = request.query["ms"].flatMap { Int($0) } ?? 100
            return HTTPResponse(
                statusCode: .ok, headers: generation,
                body: HTTPBodySequence(
                    from: PacedBytes(chunks: chunks, pause: .milliseconds(pause)),
                    count: chunks * PacedBytes.chunk))
        }
        routes.appendRoute("POST /upload") { request in
            let size = try await request.bodyData.count
            return HTTPResponse(statusCode: .ok, headers: generation, body: Data("\(size)\n".utf8))
        }
        return routes
    }

    static func leave(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        exit(status)
    }
}
