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
            try await Generation.serveHTTP(arguments[1], at: ListenAddress(arguments[2])) {
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
        guard case .end = unwrapInboundIn(data) else { return }
        let headers: HTTPHeaders = ["Content-Length": "6", "X-Generation": "\(getpid())"]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "hello\n")))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
