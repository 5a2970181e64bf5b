// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization
import SystemPackage

/// The inside of a ``Generation``: everything that happens on the control thread.
@ControlThread
final class GenerationCore {
    nonisolated let service: String
    nonisolated let number: Int
    nonisolated let configuration: GenerationConfiguration
    nonisolated let program: OwnProgram
    nonisolated let connections = ConnectionRegistry()
    nonisolated let states = StateBroadcast()
    nonisolated let shared = Mutex(SharedState())

    nonisolated let directory: RuntimeDirectory
    nonisolated let deadlines: HandoverDeadlines
    /// Decides what this generation does; ``handle(_:)`` performs it.
    var lifecycle: GenerationLifecycle
    let bornAt = Syscall.monotonicNanoseconds()
    private(set) var stateSince = Syscall.monotonicNanoseconds()
    var lock: OwnedDescriptor?
    /// Nil if it could not be made although this generation has to serve: its predecessor is dead.
    private nonisolated let endpoint: ControlEndpoint?
    private var server: ControlServer?
    private var signals: SignalInbox?
    let successorDriver: SuccessorDriver?
    /// Until the application is ready.
    private var overdue: Timer?
    /// Nil without a service manager.
    private(set) var supervision: Supervision?
    /// Nil if the manager keeps no descriptors.
    private(set) var store: DescriptorStore?
    lazy var acceptors = AcceptorCoordinator { [weak self] in
        self?.shared.withLock { $0.listeners } ?? []
    }
    /// Paths of a predecessor's listeners that nobody took; they go when it is certain that it will
    /// not need them again.
    var leftOverPaths: [(path: String, identity: FileIdentity)] = []
    /// Written down soon after this generation begins to serve: an upgrade need not wait for it.
    var preparedOffer: (listeners: Int, batches: [OfferBatch])?
    /// The upgrade that runs, or the one that succeeded: its channel stays open until this process
    /// is gone.
    var attempt: PredecessorDriver?
    /// How the last attempt has ended, while the lifecycle decides what follows.
    var outcome: PredecessorDriver.Outcome?
    /// Requests that wait for an answer, by number.
    var requests = RequestTable()
    /// The successor that waits for the end of the pause, and the driver that does.
    var pause: (successor: ProcessHandle?, answer: @ControlThread (String?) -> Void)?
    var timers: [GenerationLifecycle.Timer: Timer] = [:]
    /// Removed from the store while an upgrade may still send them.
    var offeredDescriptors: [OwnedDescriptor] = []
    /// Room in the table of descriptors for the start of a successor.
    var startLoan: DescriptorReserve.Loan?
    var drain: DrainRun?
    /// The application's writing of its state, while an upgrade waits for it.
    var collection: StateCollection?
    /// What it has written, until the successor is started.
    var collectedState: HandedState?
    /// Closes the channel to a predecessor that has been told why.
    var endHandover: (@ControlThread () -> Void)?
    private(set) lazy var reloading = makeReloading()
    nonisolated let reloadStreams = ReloadStreams()
    /// Operators who want to hear how the drain goes.
    var audience: [ControlSession] = []

    init(
        service: String, number: Int, configuration: GenerationConfiguration, program: OwnProgram,
        directory: RuntimeDirectory, lock: OwnedDescriptor?, successorDriver: SuccessorDriver?
    ) throws(SuccessionError) {
        self.service = service
        self.number = number
        self.configuration = configuration
        self.program = program
        self.directory = directory
        self.lock = lock
        self.successorDriver = successorDriver
        deadlines = HandoverDeadlines(configuration)
        lifecycle = GenerationLifecycle(
            successorDriver == nil ? .first : .successor, holdsLock: lock != nil,
            deadlines: deadlines, maximumGenerations: configuration.maximumGenerations)
        do {
            endpoint = try ControlEndpoint(directory, generation: number)
        } catch {
            let problem = "cannot make the control socket \(directory.controlPath(number))"
            guard successorDriver?.isPredecessorGone == true else { throw .system(problem, error) }
            endpoint = nil
            report(.warning, "\(problem) (\(error)): swapctl does not find this generation")
        }
    }

    private func beginSupervision(_ stored: [StoredDescriptor], _ stale: Set<String>) {
        let supervision = Supervision(
            health: { [weak self] in self?.shared.withLock { $0.healthCheck } },
            report: { [weak self] in self?.report($0, $1) })
        guard let supervision else {
            handle(.began(.none))
            return
        }
        self.supervision = supervision
        let limit = configuration.descriptorStoreLimit ?? Supervision.storeLimit() ?? 0
        // The record takes one place.
        if limit > 1 {
            store = DescriptorStore(
                supervision.manager, limit: limit, stored: stored, stale: stale,
                report: { [weak self] in self?.report($0, $1) })
        }
        handle(.began(supervision.isChildOfManager ? .parent : .distant))
    }

    func servingStatus() -> String { "generation \(number) serves \(listenerSummary())" }

    func start(
        stored: [StoredDescriptor] = [], stale: Set<String> = []
    ) throws(SuccessionError) {
        // The handler also keeps this object alive: operators are answered until the process is gone,
        // whether or not the application still holds the generation.
        ProcessExit.onExit { [self] in removeNames() }
        // Not earlier: inherited descriptors need the room first.
        DescriptorReserve.shared.begin()
        do {
            if let endpoint {
                let server = ControlServer(endpoint) { [weak self] request, session in
                    self?.respond(to: request, session)
                }
                try server.start()
                self.server = server
            }
            if !configuration.signals.isEmpty {
                signals = try SignalInbox(configuration.signals.keys.map(\.rawValue)) {
                    [weak self] number in
                    self?.received(signal: number)
                }
            }
        } catch {
            throw .system("cannot watch the control socket or signals", error)
        }
        beginSupervision(stored, stale)
        if ProcessStatus.of(ProcessEnvironment.processID) == nil {
            report(
                .warning,
                "/proc is not mounted: libdispatch, which runs Swift's tasks, ends a program that cannot see its own threads there (SIGILL); mount it"
            )
        }
        awaitReady()
        if let successorDriver {
            ControlThread.begin { [weak self] in
                await successorDriver.untilPredecessorIsGone()
                self?.handle(.predecessorGone)
            }
        }
    }

    /// Reports an application that takes long to build its server, or has forgotten to call `ready()`.
    private func awaitReady() {
        let patience = configuration.readyTimeout / 2
        overdue = ControlThread.schedule(after: patience) { [weak self] in
            self?.report(
                .warning,
                "ready() has not been called in \(patience): nobody is served by generation \(self?.number ?? 0) until it is"
            )
        }
    }

    private nonisolated func removeNames() {
        endpoint?.remove()
        // A successor has pointed it to itself.
        if directory.servingGeneration() == number { try? Syscall.unlink(directory.servingPath) }
        // A generation that never served removes only the paths that it bound itself.
        let isUnborn = states.current == .starting
        let (listeners, isLast) = shared.withLock { ($0.listeners, $0.isLast) }
        for listener in listeners where isLast || isUnborn && listener.isBoundHere {
            Self.removePath(of: listener)
        }
    }

    // MARK: Ready

    func ready() async throws(SuccessionError) {
        let (isAgain, hasNone, leftOver) = shared.withLock { shared in
            defer { shared.isReady = true }
            shared.inheritedState = nil
            return (
                shared.isReady, shared.listeners.isEmpty, shared.inheritance.removeAll()
            )
        }
        if isAgain {
            throw SuccessionError(
                .invalidState, "ready() was called before: a generation is ready once")
        }
        overdue?.cancel()
        if hasNone {
            report(
                .warning,
                "ready() without a listener: nobody can connect; take listeners with listener(_:orBind:) before it"
            )
        }
        for item in leftOver {
            report(
                .warning,
                "closed '\(item.name)' (\(item.address)): it was inherited and nobody took it",
                .leftOver(listener: item.name))
            item.descriptor.close()
            store?.drop([item.name])
            if item.origin == .bound, case .unixPath(let path) = item.address.socketAddress,
                let identity = (try? Syscall.linkStatus(path))?.identity
            {
                leftOverPaths.append((path, identity))
            }
        }
        if let successorDriver {
            handle(.applicationReady)
            do throws(SuccessorDriver.Refusal) {
                try await successorDriver.ready(
                    without: leftOver.map {
                        Wire.Ready.Left(what: "\($0.address)", name: $0.name)
                    }, on: self)
            } catch {
                throw SuccessionError(error)
            }
        } else {
            do {
                try await accept(on: .applicationReady)
            } catch {
                throw error as? SuccessionError
                    ?? SuccessionError(.system, "cannot accept: \(error)")
            }
        }
        report(
            .info, "pid \(ProcessEnvironment.processID) serves \(listenerSummary())",
            .serving(after: .since(bornAt)))
        sample()
        // Later: the first clients are waiting.
        _ = ControlThread.schedule(after: .milliseconds(2)) { [weak self] in
            if let self, !lifecycle.isDraining { _ = offer() }
        }
    }

    func listenerSummary() -> String {
        let listeners = shared.withLock { $0.listeners }
        // Not joined(separator:): its first use takes as long as a message to the predecessor.
        var summary = ""
        for listener in listeners.prefix(8) {
            if !summary.isEmpty { summary += " " }
            summary += "\(listener.name)=\(listener.address)"
        }
        return listeners.count > 8 ? summary + " and \(listeners.count - 8) more" : summary
    }

    nonisolated static func remove(_ path: String, ifStill identity: FileIdentity) {
        guard (try? Syscall.linkStatus(path))?.identity == identity else { return }
        try? Syscall.unlink(path)
    }

    func enter(_ state: GenerationState) {
        stateSince = Syscall.monotonicNanoseconds()
        states.set(state)
    }

    func step(_ name: String) { configuration.onStep(name) }

    /// What a successor is offered, in batches: every listener taken, and the lock.
    func offer() -> [OfferBatch] {
        let listeners = shared.withLock { $0.listeners }
        // Listeners are added and never replaced; the lock goes with the last offer.
        if let preparedOffer, preparedOffer.listeners == listeners.count {
            return preparedOffer.batches
        }
        var items = listeners.map { (Manifest.entry(for: $0), $0.descriptor.rawValue) }
        if let lock { items.append((ManifestEntry.lock, lock.rawValue)) }
        items += store?.offer() ?? []
        let batches = OfferBatch.split(items)
        preparedOffer = (listeners.count, batches)
        return batches
    }
}
