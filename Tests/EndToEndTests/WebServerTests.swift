// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

/// The example web server, and with it the SwiftNIO adapter, under an upgrade.
@Suite(.serialized) struct WebServerTests {
    private func start(_ options: [String] = []) throws -> (TestService, ChildProcess, UInt16) {
        let service = try TestService()
        let port = try FreePort.find()
        let web = try ChildProcess(
            Binaries.web,
            ["--service", service.name, "--http", "tcp:127.0.0.1:\(port)"] + options,
            environment: service.environment)
        try service.waitUntilServing()
        return (service, web, port)
    }

    private func upgrade(_ service: TestService, _ options: [String] = ["--detach"]) throws
        -> SwapctlRun
    {
        try service.swapctl(["upgrade", service.name, "--json"] + options)
    }

    @Test func keptAliveConnection_whenDraining_nextResponseSaysClose() throws {
        let (service, web, port) = try start()
        let client = try HTTPClient(port: port)
        let before = try client.get("/")
        #expect(before.generation == web.processID)
        #expect(before.headers["connection"] == nil)
        #expect(try upgrade(service).status == .exited(0))
        let after = try client.get("/")
        #expect(after.generation == web.processID)
        #expect(after.headers["connection"] == "close")
        #expect(try client.isClosed(within: 5_000))
        #expect(try web.waitForExit() == .exited(0))
    }

    @Test func idleConnection_whenDraining_isClosedInTheSecondHalf() throws {
        let (service, web, port) = try start()
        do {
            let client = try HTTPClient(port: port)
            _ = try client.get("/")
            let run = try upgrade(service, ["--detach", "--drain", "2s"])
            #expect(run.status == .exited(0), "\(run)")
            #expect(try !client.isClosed(within: 800))
            #expect(try client.isClosed(within: 5_000))
            // Like every client that sees the end, it closes its own: the server waits for that.
        }
        #expect(try web.waitForExit() == .exited(0))
        #expect(web.standardError.contains("drained, 0 connections cut"))
    }

    /// The successor answers its first clients at that moment, perhaps on the same processor.
    @Test func predecessor_thatBeginsToDrain_makesNoThreads() throws {
        let (service, web, port) = try start()
        let client = try HTTPClient(port: port)
        _ = try client.get("/")
        let before = try DescriptorAudit(web.processID, withoutConnections: true)
        #expect(try upgrade(service).status == .exited(0))
        // What SwiftNIO has of the listener has gone, and the channel to the successor has come; the
        // listener itself is kept in case that dies.
        let expected = before.kinds["socket", default: 0]
        let now = try DescriptorAudit.of(web.processID) { $0.kinds["socket"] == expected }
        #expect(now.kinds["socket"] == expected, "\(now)")
        #expect(now.threads == before.threads)
        #expect(try client.get("/").generation == web.processID)
        #expect(try web.waitForExit() == .exited(0))
    }

    @Test(arguments: ["/slow?ms=400", "/body?n=400000&ms=20"])
    func request_inProgress_isFinishedByItsGeneration(path: String) throws {
        let (service, web, port) = try start()
        let client = try HTTPClient(port: port)
        _ = try client.get("/")
        try client.send(path)
        #expect(try upgrade(service).status == .exited(0))
        let response = try client.receive()
        #expect(response.status == "HTTP/1.1 200 OK")
        #expect(response.generation == web.processID)
        if path.hasPrefix("/body") {
            #expect(response.body.count == 400_000)
            // Its head was gone before the drain began: only the next answer can announce the end.
            #expect(try client.get("/").headers["connection"] == "close")
        }
        #expect(try client.isClosed(within: 5_000))
        #expect(try web.waitForExit() == .exited(0))
    }

    @Test func successor_thatNeedsTime_meanwhileThePredecessorServes() throws {
        let (service, web, port) = try start(["--start-delay", "700ms"])
        let swapctl = try service.startSwapctl(["upgrade", service.name, "--json"])
        _ = try swapctl.line("{\"detail\":\"at most")
        #expect(try HTTPClient(port: port).get("/").generation == web.processID)
        #expect(try swapctl.waitForExit() == .exited(0))
        #expect(try HTTPClient(port: port).get("/").generation != web.processID)
    }

    /// A stream that never ends does not keep a generation alive.
    @Test func endlessStream_atTheDeadline_isCutAndCounted() throws {
        let (service, web, port) = try start()
        let client = try HTTPClient(port: port)
        try client.send("/stream?ms=20")
        _ = try client.receive()
        let run = try upgrade(service, ["--drain", "500ms"])
        #expect(run.status == .exited(2), "\(run)")
        #expect(run.result["cut"] as? Int == 1)
        #expect(try web.waitForExit() == .exited(0))
    }

    @Test func failedUpgrade_afterThePause_serverAcceptsAgain() throws {
        let (service, web, port) = try start()
        // Takes the listener's place in every step, and dies when it should begin to accept.
        let run = try service.swapctl([
            "upgrade", service.name, "--json", "--", Binaries.fixture, "serve", "--service",
            service.name, "--listen", "http=tcp:127.0.0.1:\(port)", "--fault",
            "kill:starting to accept",
        ])
        #expect(run.status == .exited(1), "\(run)")
        #expect(try HTTPClient(port: port).get("/").generation == web.processID)
        #expect(try upgrade(service, []).status == .exited(0))
    }
}
