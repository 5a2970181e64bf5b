// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

extension TestUpgrade {
    /// Starts clients that count every request that is lost; returns when each has completed its first request.
    ///
    /// The first request of a client may be lost like any other: see ``StrictClients/stop()``. The clients end with
    /// the value that is returned; the server outlives them. Throws `usage` if the address makes no sense, or if there
    /// are to be fewer than 1 or more than 256 clients.
    ///
    /// - Parameters:
    ///   - kind: What each client asks.
    ///   - count: How many clients there are, each with a thread and a connection.
    ///   - address: Where the server listens: `tcp:HOST:PORT` with a numeric host, or `unix:/PATH`.
    public func clients(
        _ kind: ClientKind, count: Int = 4, to address: String = "tcp:127.0.0.1:" + TestUpgrade.port
    ) async throws(TestUpgradeError) -> StrictClients {
        guard 1...256 ~= count else {
            throw TestUpgradeError(.usage, "\(count) clients are not between 1 and 256")
        }
        let clients = try StrictClients(
            kind, to: try socketAddress(ServerProgram.filled(address, values)), count: count,
            timeout: limits.request, phase: { [phase] in phase.value })
        await clients.next()
        return clients
    }

    private func socketAddress(_ text: String) throws(TestUpgradeError) -> SocketAddress {
        let endpoint: EndpointText
        do {
            endpoint = try EndpointText(text)
        } catch {
            throw TestUpgradeError(.usage, error.message)
        }
        guard endpoint.kind == .tcp || endpoint.kind == .unixStream, !endpoint.isDualStack else {
            throw TestUpgradeError(.usage, "'\(text)' is not tcp:HOST:PORT or unix:/PATH")
        }
        return endpoint.address
    }
}
