// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem

/// An upgrade of which one process stops itself at a named step.
final class StoppedUpgrade {
    enum Side: String {
        case predecessor, successor
    }

    let service: TestService
    let side: Side
    let step: String
    let old: ChildProcess
    let port: UInt16
    /// Served by the predecessor since before the upgrade.
    let client: EchoClient
    private let swapctl: ChildProcess
    private let fifo: Fifo
    private var stopped: Int32 = 0

    init(_ side: Side, at step: String, timeout: String = "20s") throws {
        self.side = side
        self.step = step
        service = try TestService()
        fifo = try Fifo(in: service.directory)
        let listen = ["--listen", "echo=tcp:127.0.0.1:0"]
        let fault = ["--fault", "stop:\(step):\(fifo.path)"]
        old = try service.startFixture(listen + (side == .predecessor ? fault : []))
        port = try service.port("echo")
        client = try EchoClient(port: port)
        _ = try client.greet()
        swapctl = try service.startSwapctl(
            [
                "upgrade", service.name, "--json", "--detach", "--timeout", timeout, "--",
                Binaries.fixture, "serve", "--service", service.name,
            ] + listen + (side == .successor ? fault : []))
    }

    @discardableResult
    func waitUntilStopped() throws -> Int32 {
        stopped = try fifo.waitUntilStopped()
        return stopped
    }

    func goOn() throws {
        // One that was ended meanwhile cannot be found, and that is for the outcome to show.
        try? ProcessHandle.open(stopped).signal(Signals.proceed)
    }

    /// How it ended, and who serves a client that comes now.
    func outcome() throws -> (run: SwapctlRun, serving: Int32) {
        let status = try swapctl.waitForExit()
        let run = SwapctlRun(
            status: status, standardOutput: swapctl.standardOutput,
            standardError: swapctl.standardError)
        return (run, try EchoClient(port: port).greet())
    }
}

/// Lets time pass, where that is what a test is about; never to wait for something.
func pass(seconds: Double) {
    _ = try? Syscall.poll([], timeoutMilliseconds: CInt(seconds * 1_000))
}
