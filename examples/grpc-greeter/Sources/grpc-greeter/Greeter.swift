// SPDX-License-Identifier: Apache-2.0

import GRPCCore

/// A service of three kinds of calls, whose answers name the generation.
///
/// gRPC does not mind what messages are: these are text, so that the example needs no generated
/// code. A service generated from a .proto file is given to the server in the same way.
struct Greeter: RegistrableRPCService {
    let generation: Int

    private static let descriptor = ServiceDescriptor(fullyQualifiedService: "example.Greeter")

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        register("Greet", with: &router, greet)
        register("GreetAll", with: &router, greetAll)
        register("GreetAgain", with: &router, greetAgain)
    }

    /// Unary: a name, a greeting.
    private func greet(
        _ request: StreamingServerRequest<String>
    ) async throws -> StreamingServerResponse<String> {
        let name = try await ServerRequest(stream: request).message
        return StreamingServerResponse(single: ServerResponse(message: greeting(name)))
    }

    /// Client streaming: names, one greeting.
    private func greetAll(
        _ request: StreamingServerRequest<String>
    ) async throws -> StreamingServerResponse<String> {
        var names: [String] = []
        for try await name in request.messages { names.append(name) }
        let message = greeting(names.joined(separator: ", "))
        return StreamingServerResponse(single: ServerResponse(message: message))
    }

    /// Server streaming: `NAME COUNT MILLISECONDS`, so many greetings so far apart.
    private func greetAgain(
        _ request: StreamingServerRequest<String>
    ) async throws -> StreamingServerResponse<String> {
        let words = try await ServerRequest(stream: request).message.split(separator: " ")
        guard words.count == 3, let count = UInt16(words[1]), let pause = UInt16(words[2]) else {
            throw RPCError(code: .invalidArgument, message: "not NAME COUNT MILLISECONDS")
        }
        let message = greeting(String(words[0]))
        return StreamingServerResponse { writer in
            for _ in 0..<count {
                try await writer.write(message)
                try await Task.sleep(for: .milliseconds(pause))
            }
            return [:]
        }
    }

    private func greeting(_ name: String) -> String {
        "Hello, \(name), from generation \(generation)"
    }

    private func register<Transport: ServerTransport>(
        _ method: String, with router: inout RPCRouter<Transport>,
        _ handler:
            @escaping @Sendable (StreamingServerRequest<String>) async throws
            -> StreamingServerResponse<String>
    ) {
        router.registerHandler(
            forMethod: MethodDescriptor(service: Self.descriptor, method: method),
            deserializer: TextCoder(), serializer: TextCoder()
        ) { request, _ in
            try await handler(request)
        }
    }
}
