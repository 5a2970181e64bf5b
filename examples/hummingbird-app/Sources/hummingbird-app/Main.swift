// SPDX-License-Identifier: Apache-2.0

@preconcurrency import Glibc  // its stderr is a variable
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import NIOSSL
import ServiceLifecycle
import Succession
import SuccessionHummingbird

@main
enum Main {
    static func main() async {
        var arguments = CommandLine.arguments.dropFirst()
        func value(_ name: String) -> String? {
            guard arguments.count > 1, arguments.first == name else { return nil }
            arguments.removeFirst()
            return arguments.removeFirst()
        }
        let (service, address) = (value("--service"), value("--http"))
        let (certificate, key) = (value("--certificate"), value("--key"))
        let hasGroup = arguments.first == "--in-group"
        if hasGroup { arguments.removeFirst() }
        guard let service, let address, arguments.isEmpty else {
            fputs(
                "usage: hummingbird-app --service NAME --http tcp:127.0.0.1:8080"
                    + " [--certificate cert.pem --key key.pem] [--in-group]\n", stderr)
            exit(64)
        }
        do {
            var server = HTTPServerBuilder.http1()
            if let certificate, let key { server = try tls(certificate, key) }
            if hasGroup {
                try await serveInGroup(service, at: ListenAddress(address), by: server)
            } else {
                try await serve(service, at: ListenAddress(address), by: server)
            }
        } catch {
            fputs("hummingbird-app: \(error)\n", stderr)
            exit(1)
        }
    }

    static func serve(
        _ service: String, at address: ListenAddress, by server: HTTPServerBuilder
    ) async throws {
        // snippet serve
        let app = Application(
            router: router(), server: server, configuration: configuration, services: [Pool()])
        // was: app.runService()
        try await app.runSuccession(
            service: service, at: address, configuration: generationConfiguration)
        // end serve
    }

    /// Beside services that are not the application's.
    static func serveInGroup(
        _ service: String, at address: ListenAddress, by server: HTTPServerBuilder
    ) async throws {
        let generation = try await Generation.begin(
            service, configuration: generationConfiguration)
        let listener = try generation.listener("http", orBind: address)
        let app = Application(router: router(), server: server, configuration: configuration)
        // snippet group
        let adopted = AdoptedApplication(app, on: [listener], of: generation)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: Pool()),
                    // It returns when the generation has drained, and the others end with it.
                    .init(
                        service: adopted, successTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: app.logger))
        try await group.run()
        // end group
    }

    /// What still runs some time after the deadline of a drain is ended.
    static var generationConfiguration: GenerationConfiguration {
        var configuration = GenerationConfiguration()
        configuration.exitGrace = .seconds(5)
        return configuration
    }

    /// Takes no more than 200 connections at a time.
    static var configuration: ApplicationConfiguration {
        var configuration = ApplicationConfiguration()
        configuration.availableConnectionsDelegate = MaximumAvailableConnections(200)
        return configuration
    }

    /// HTTP/2 and HTTP/1.1, as the client likes.
    static func tls(_ certificate: String, _ key: String) throws -> HTTPServerBuilder {
        try .http2Upgrade(
            tlsConfiguration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(certificate)
                    .map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: key, format: .pem))))
    }

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

/// Stands for what requests need until the last one is answered: connections to a database, say.
struct Pool: Service {
    func run() async throws {
        try? await gracefulShutdown()
        fputs("the pool is closed\n", stderr)
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
