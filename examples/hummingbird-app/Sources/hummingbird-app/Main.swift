// SPDX-License-Identifier: Apache-2.0

@preconcurrency import Glibc  // its stderr is a variable
import HTTPTypes
import Hummingbird
import Succession
import SuccessionHummingbird

@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, arguments[1] == "--service", arguments[3] == "--http" else {
            fputs("usage: hummingbird-app --service NAME --http tcp:127.0.0.1:8080\n", stderr)
            exit(64)
        }
        do {
            try await serve(arguments[2], at: ListenAddress(arguments[4]))
        } catch {
            fputs("hummingbird-app: \(error)\n", stderr)
            exit(1)
        }
    }

    // snippet serve
    static func serve(_ service: String, at address: ListenAddress) async throws {
        let app = Application(router: router())
        try await app.runSuccession(service: service, at: address)
    }
    // end serve

    static func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: GenerationMiddleware())
        router.get("/") { _, _ in "hello\n" }
        // A chunk, a pause, a chunk, …: a download that outlives an upgrade.
        router.get("/body") { request, _ in
            let chunks = request.uri.queryParameters.get("chunks", as: Int.self) ?? 10
            let pause = request.uri.queryParameters.get("ms", as: Int.self) ?? 100
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    for _ in 0..<chunks {
                        try await writer.write(
                            ByteBuffer(repeating: UInt8(ascii: "x"), count: 1000))
                        try await Task.sleep(for: .milliseconds(pause))
                    }
                    try await writer.finish(nil)
                })
        }
        router.post("/upload") { request, _ in
            var size = 0
            for try await part in request.body { size += part.readableBytes }
            return "\(size)\n"
        }
        return router
    }
}

/// Says which process has answered.
struct GenerationMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let name = HTTPField.Name("X-Generation") { response.headers[name] = "\(getpid())" }
        return response
    }
}
