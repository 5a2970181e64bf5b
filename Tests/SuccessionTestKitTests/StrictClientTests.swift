// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTestKit
import Testing

/// What a strict client takes for an answer, and what for a loss.
struct StrictClientTests {
    private static let good = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
    private static let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nye\r\n1\r\ns\r\n0\r\n\r\n"

    private func seen(
        _ kind: ClientKind, by server: CannedServer, requests: Int = 3,
        timeout: Duration = .seconds(10)
    ) async throws -> ClientReport {
        let clients = try StrictClients(
            kind, to: server.address, count: 1, timeout: timeout, phase: { .commit })
        await clients.next(requests)
        return await clients.stop()
    }

    @Test(arguments: [
        good, chunked, "HTTP/1.1 100 Continue\r\n\r\n" + good, "HTTP/1.1 204 No Content\r\n\r\n",
    ])
    func http_completeAnswers_areNoLosses(_ answer: String) async throws {
        let server = try CannedServer(ending: "\r\n\r\n", answer: answer)
        let report = try await seen(.http("/"), by: server)
        #expect(report.requests >= 3 && report.connections == 1 && report.lost.isEmpty, "\(report)")
    }

    @Test(arguments: [
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", good + "more",
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nyes",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nyes\r\n0\r\n\r\n",
    ])
    func http_wrongAnswers_areLosses(_ answer: String) async throws {
        let server = try CannedServer(ending: "\r\n\r\n", answer: answer)
        let report = try await seen(.http("/"), by: server, requests: 1)
        let loss = try #require(report.lost.first)
        #expect(loss.kind == .wrongAnswer && loss.phase == .commit && loss.client == 0, "\(loss)")
    }

    @Test func http_anAnswerThatIsCut_isALoss() async throws {
        let server = try CannedServer(
            ending: "\r\n\r\n", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nyes",
            answers: 1)
        let report = try await seen(.http("/"), by: server, requests: 2)
        #expect(report.lost.count == report.requests, "\(report)")
        #expect(report.lost.first?.kind == .truncated)
    }

    @Test func http_aConnectionThatIsClosedUnannounced_isALoss() async throws {
        let server = try CannedServer(ending: "\r\n\r\n", answer: Self.good, answers: 1)
        let report = try await seen(.http("/"), by: server, requests: 2)
        #expect(report.lost.first?.kind == .keepAliveClosed, "\(report)")
    }

    @Test func http_aConnectionThatIsClosedAsAnnounced_isNoLoss() async throws {
        let server = try CannedServer(
            ending: "\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", answers: 1)
        let report = try await seen(.http("/"), by: server)
        #expect(report.lost.isEmpty && report.connections == report.requests, "\(report)")
    }

    @Test func http_anAnswerThatDoesNotCome_isALossAfterTheTimeout() async throws {
        let server = try CannedServer(ending: "never", answer: Self.good)
        let report = try await seen(
            .http("/"), by: server, requests: 1, timeout: .milliseconds(200))
        #expect(report.lost.first?.kind == .timedOut, "\(report)")
    }

    @Test func tcp_anotherLine_isALoss() async throws {
        let server = try CannedServer(ending: "\n", answer: "pong\n")
        let report = try await seen(.tcp(echo: "ping"), by: server, requests: 1)
        #expect(report.lost.first?.kind == .wrongAnswer, "\(report)")
        let right = try await seen(.tcp(echo: "pong"), by: server)
        #expect(right.lost.isEmpty && right.connections == 1, "\(right)")
    }

    @Test func tcp_requestsPerConnection_bringNewConnections() async throws {
        let server = try CannedServer(ending: "\n", answer: "ping\n")
        let report = try await seen(
            .tcp(requestsPerConnection: 2), by: server, requests: 6)
        #expect(report.lost.isEmpty && report.connections >= 3, "\(report)")
    }

    @Test func anAddressOnWhichNobodyListens_isALossForEachRequest() async throws {
        var server: CannedServer? = try CannedServer(ending: "\n", answer: "\n")
        let address = try #require(server?.address)
        server = nil
        let clients = try StrictClients(
            .tcp(), to: address, count: 2, timeout: .seconds(10), phase: { nil })
        await clients.next(2)
        let report = await clients.stop()
        #expect(report.lost.count == report.requests && report.requests >= 4, "\(report)")
    }
}
