// SPDX-License-Identifier: Apache-2.0

@preconcurrency import Glibc  // its stderr is a variable
import NIOCore
import NIOHTTP1
import Succession
import SuccessionNIO

// snippet main
@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            print("usage: hello NAME tcp:127.0.0.1:8080")
            exit(64)
        }
        do {
            var configuration = GenerationConfiguration()
            configuration.exitGrace = .seconds(5)
            try await Generation.serveHTTP(
                arguments[1], at: ListenAddress(arguments[2]), configuration: configuration
            ) {
                [Hello()]
            }
        } catch {
            fputs("hello: \(error)\n", stderr)
            exit(1)
        }
    }
}
// end main

final class Hello: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head(let request) = part, request.headers.contains(name: "Expect") {
            // The client waits for this before it sends its body (RFC 9110 §10.1.1).
            let goOn = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
        }
        guard case .end = part else { return }
        let headers: HTTPHeaders = ["Content-Length": "6", "X-Generation": "\(getpid())"]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "hello\n")))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
