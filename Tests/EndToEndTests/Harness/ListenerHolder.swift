// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// A process that owns a listener and never accepts: it is the predecessor of an unmodified server,
/// and of another one each time that server dies.
@ControlThread
final class ListenerHolder: PredecessorHost {
    let service: String
    let number = 0
    let deadlines = HandoverDeadlines()
    let isChildOfManager = false
    let hasForegroundParent = false
    /// Of the listener.
    let port: UInt16
    /// What happened, in order.
    private(set) var events: [String] = []

    private let listener: OwnedDescriptor
    private let lock: OwnedDescriptor
    private let plan: LaunchPlan
    private var driver: PredecessorDriver?
    private var waiting: OneShot<PredecessorDriver.Outcome>?

    /// The control thread is to run by now: see ``ReadinessLoop/start()``.
    init(_ service: TestService, program: String, _ arguments: [String]) throws {
        self.service = service.name
        let directory = RuntimeDirectory(path: service.runtime)
        try directory.prepare()
        guard let lock = try directory.takeLock() else { throw Errno.resourceBusy }
        self.lock = lock
        listener = try Syscall.openSocket(family: .ipv4, type: .stream, nonBlocking: true)
        guard let address = SocketAddress(numericHost: "127.0.0.1", port: 0) else {
            throw Errno.invalidArgument
        }
        try Syscall.bind(listener.rawValue, to: address)
        try Syscall.listen(listener.rawValue, backlog: 64)
        guard case .ipv4(_, let port) = try Syscall.localAddress(listener.rawValue) else {
            throw Errno.invalidArgument
        }
        self.port = port
        var plan = LaunchPlan()
        plan.executable = program
        plan.arguments = [program] + arguments
        plan.environmentChanges = service.environment.map { "\($0)=\($1)" }
        self.plan = plan
    }

    /// Starts the server; returns when it accepts, or is dead.
    func start() async -> PredecessorDriver.Outcome {
        let outcome = expectOutcome()
        begin()
        return await outcome.value()
    }

    /// Where the next outcome arrives, also of a start that is nobody's request.
    func expectOutcome() -> OneShot<PredecessorDriver.Outcome> {
        let outcome = OneShot<PredecessorDriver.Outcome>()
        waiting = outcome
        return outcome
    }

    private func begin() {
        let driver = PredecessorDriver(
            self, plan: plan, requestedBy: nil, state: nil, whenStepped: { _ in },
            whenDone: { [weak self] in self?.waiting?.fulfil($0) })
        self.driver = driver
        driver.begin()
    }

    // MARK: What is offered, and how it is taken

    func offer() -> [OfferBatch] {
        let entry = ManifestEntry(
            what: "tcp:127.0.0.1:\(port)", origin: .bound, backlog: 64, name: "echo")
        return OfferBatch.split([
            (entry, listener.rawValue), (ManifestEntry.lock, lock.rawValue),
        ])
    }

    func request(
        _ plan: LaunchPlan, channel: OwnedDescriptor, capturedError: OwnedDescriptor?
    ) -> SpawnRequest {
        plan.request(
            own: .current(), channel: channel, capturedError: capturedError, asSibling: false)
    }

    func path(of plan: LaunchPlan) -> String { plan.executable ?? "" }
    func begins(_ driver: PredecessorDriver) { events.append("begins") }
    /// It never accepts: there is nothing to pause, and nothing to resume.
    func pauseAccepting(
        for successor: ProcessHandle?, _ completion: @escaping @ControlThread (String?) -> Void
    ) { completion(nil) }
    func abandonPause() {}
    func stoodBy() { events.append("stoodBy") }
    func resumeServing() { events.append("resumeServing") }
    func succeeded(by driver: PredecessorDriver) { events.append("succeeded") }
    func letGo(of driver: PredecessorDriver) { events.append("letGo") }

    /// Clients wait in the queue until another process of the server takes them from there.
    func takeOver(from driver: PredecessorDriver) {
        events.append("takeOver")
        begin()
    }

    func step(_ name: String) {}
    func warn(_ message: String) { events.append("warning: \(message)") }
}
