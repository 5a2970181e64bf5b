// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// An application as it is, except that its server listens where nobody connects, and that the
/// server's channel is handed out.
struct HostedApplication<Base: ApplicationProtocol>: ApplicationProtocol {
    typealias Responder = Base.Responder

    private let base: Base
    private let handOut: @Sendable (any Channel) -> Void
    let configuration: ApplicationConfiguration

    init(_ base: Base, handOut: @escaping @Sendable (any Channel) -> Void) {
        self.base = base
        self.handOut = handOut
        var configuration = base.configuration
        // Hummingbird binds for itself and cannot be given a socket. An abstract name has no file
        // that could be left behind.
        let suffix = String(UInt64.random(in: 0 ... .max), radix: 36)
        configuration.address = .unixDomainSocket(path: "\0succession-placeholder-\(suffix)")
        self.configuration = configuration
    }

    var responder: Base.Responder {
        get async throws { try await base.responder }
    }
    var server: HTTPServerBuilder { base.server }
    var eventLoopGroup: any EventLoopGroup { base.eventLoopGroup }
    var logger: Logger { base.logger }
    var services: [any Service] { base.services }
    var processesRunBeforeServerStart: [@Sendable () async throws -> Void] {
        base.processesRunBeforeServerStart
    }

    func onServerRunning(_ channel: any Channel) async {
        handOut(channel)
    }
}
