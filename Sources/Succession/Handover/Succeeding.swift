// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// The successor's side of a hand-over: performs what ``SuccessorStateMachine`` decides.
@ControlThread
final class Succeeding {
    /// What a predecessor left.
    struct Legacy: Sendable {
        var service = ""
        var generation = 0
        var predecessor: Int32 = 0
        var inherited: [Inherited] = []
        var stored: [StoredDescriptor] = []
        var lock: OwnedDescriptor?
        var state: HandedState?
    }

    private let channel: MessageSocket
    private let standardError: OwnedDescriptor?
    private let configuration: GenerationConfiguration
    /// Pid of the predecessor, as it says.
    private(set) var predecessor: Int32 = 0
    private(set) var isPredecessorGone = false
    private var hasEnded = false
    private var machine = SuccessorStateMachine()
    /// What the machine wants done first, and only the control thread can do.
    private var beginning: [SuccessorStateMachine.Action] = []
    private var legacy = Legacy()
    private var packet: Packet?
    private var stagedState: HandedState?
    /// Taken, and not yet compared with their manifests.
    private var batches: [Packet] = []
    private var timer: Timer?
    private let inheritance = OneShot<Result<Void, SuccessionError>>()
    private let serving = OneShot<Result<Void, SuccessionError>>()
    /// Set by the generation once it exists: how to start its acceptors.
    var startAccepting: (@ControlThread () async throws -> Void)?
    var predecessorGone: (@ControlThread () -> Void)?
    /// How to make the predecessor, by its pid, the service's main process again.
    var giveBack: (@ControlThread (Int32, @escaping @ControlThread () -> Void) -> Void)?
    private var hasSaidReady = false

    /// Says hello, on the caller's thread: the predecessor makes its offer while this process is
    /// still setting itself up.
    nonisolated init(
        channel: OwnedDescriptor, standardError: OwnedDescriptor?,
        configuration: GenerationConfiguration
    ) {
        self.channel = MessageSocket(channel)
        self.standardError = standardError
        self.configuration = configuration
        for action in machine.handle(.begin) {
            if action == .sendHello {
                Self.send(Self.hello(), over: self.channel, configuration)
            } else {
                beginning.append(action)
            }
        }
    }

    /// Has what the predecessor offers taken as it comes.
    func beginTaking() {
        do {
            try ControlThread.watch(channel.descriptor.rawValue) { [weak self] in self?.readable() }
        } catch {
            inheritance.fulfil(
                .failure(.system("cannot watch the channel to the predecessor", error)))
        }
        for action in beginning { perform(action) }
        beginning = []
    }

    /// Returns what the predecessor left when everything is here; ``beginTaking()`` comes before.
    func inherit() async throws(SuccessionError) -> Legacy {
        // Kept here and nowhere else: a one-shot would hold it until the process ends.
        try await inheritance.value().get()
        return legacy
    }

    /// Lets go of what was inherited: whoever holds it from now on decides when it is closed.
    func forgetLegacy() {
        predecessor = legacy.predecessor
        legacy = Legacy()
        stagedState = nil
    }

    /// Says that the application is ready; returns when this generation accepts.
    func ready() async throws(SuccessionError) {
        handle(.applicationReady)
        try await serving.value().get()
    }

    /// Refuses what was taken; the predecessor serves on.
    func refuse(_ failure: Failure) {
        handle(.applicationFailed(failure))
    }

    /// Tells the predecessor what went wrong, should it be the reason for which this process ends.
    ///
    /// Returns when it is told: an application that does not catch the error is gone in a moment.
    nonisolated func mention(_ error: SuccessionError) {
        guard let told = try? Syscall.eventDescriptor() else { return }
        Task { @ControlThread in
            if !hasSaidReady, channel.descriptor.rawValue >= 0 {
                send(Failure(code: .application, reason: "\(error)").message(.trouble))
            }
            Syscall.signalEvent(told.rawValue)
        }
        _ = try? Syscall.poll(told.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 500)
    }

    private func handle(_ event: SuccessorStateMachine.Event) {
        for action in machine.handle(event) { perform(action) }
    }

    private func perform(_ action: SuccessorStateMachine.Action) {
        switch action {
        // Said by the initialiser.
        case .sendHello: break
        case .takeBatch: if let packet { batches.append(packet) }
        case .sendTaken(let batch):
            var message = Message(.taken)
            message.add("BATCH", batch)
            message.add("TAKEN", packet?.descriptors.count ?? 0)
            send(message)
            packet = nil
        case .takeState: legacy.state = stagedState
        case .sendTakenState:
            var message = Message(.taken)
            message.add("STATE", legacy.state?.count ?? 0)
            send(message)
            packet = nil
        case .inheritanceComplete: completeInheritance()
        case .sendReady:
            hasSaidReady = true
            send(Message(.ready))
            // While the predecessor pauses.
            endRedirection()
        case .startAccepting: start()
        case .sendAccepting: send(Message(.accepting))
        case .serving:
            endRedirection()
            serving.fulfil(.success(()))
        case .sendAbort(let failure): send(failure.message(.abort))
        case .sendRefusedUnknownKind(let kind): send(Failure.unknownKind(kind).message(.refused))
        case .fail(let failure): fail(failure)
        case .predecessorGone:
            endRedirection()
            closeChannel()
            isPredecessorGone = true
            predecessorGone?()
        case .setDeadline(let deadline): setDeadline(deadline)
        case .clearDeadline: timer?.cancel()
        }
    }

    private func send(_ message: Message) {
        Self.send(message, over: channel, configuration)
    }

    private nonisolated static func send(
        _ message: Message, over channel: MessageSocket, _ configuration: GenerationConfiguration
    ) {
        configuration.onStep("send \(message.kind.rawValue)")
        // A predecessor that is gone is told by end-of-file, in order with what it sent before.
        try? channel.send(message)
    }

    private nonisolated static func hello() -> Message {
        var message = Message(.hello)
        message.add("PID", Int(ProcessEnvironment.processID))
        message.add("FEATURES", "state memfd")
        return message
    }

    private func start() {
        ControlThread.begin { [weak self] in
            do {
                try await self?.startAccepting?()
                self?.handle(.started)
            } catch {
                self?.handle(
                    .applicationFailed(
                        Failure(code: .application, reason: "cannot accept: \(error)")))
            }
        }
    }

    private func setDeadline(_ deadline: SuccessorStateMachine.Deadline) {
        timer?.cancel()
        let delay: Duration =
            switch deadline {
            case .answer: .seconds(10)
            case .commit: .seconds(15)
            }
        timer = ControlThread.schedule(after: delay) { [weak self] in
            self?.handle(.deadlineExpired)
        }
    }

    private func endRedirection() {
        guard let standardError, standardError.rawValue >= 0 else { return }
        StandardErrorRedirection.end(real: standardError)
    }

    private func fail(_ failure: Failure) {
        timer?.cancel()
        // A predecessor that lives shows the operator what was captured; a dead one shows nothing.
        if hasEnded { endRedirection() }
        // Once this was said, this may be the main process; its end would be the service's.
        if hasSaidReady, !hasEnded, let giveBack {
            giveBack(predecessor) { [self] in end(failure) }
        } else {
            end(failure)
        }
    }

    private func end(_ failure: Failure) {
        closeChannel()
        let code: SuccessionError.Code =
            switch failure.code {
            case .state, .application: .refused
            case .operator, .exited, .busy: .aborted
            default: .handoverFailed
            }
        let error = SuccessionError(code, failure.reason)
        inheritance.fulfil(.failure(error))
        serving.fulfil(.failure(error))
    }

    private func closeChannel() {
        ControlThread.unwatch(channel.descriptor.rawValue)
        channel.descriptor.close()
    }
}

// MARK: - What arrives

extension Succeeding {
    private func readable() {
        while channel.descriptor.rawValue >= 0 {
            do throws(TransportError) {
                guard let packet = try channel.receive() else {
                    ControlThread.unwatch(channel.descriptor.rawValue)
                    hasEnded = true
                    handle(.endOfFile)
                    return
                }
                configuration.onStep("received \(packet.message.kind.rawValue)")
                self.packet = packet
                handle(.received(event(for: packet)))
            } catch {
                if error.isWouldBlock { return }
                handle(.received(ChannelMessage(error)))
            }
        }
    }

    /// Looks at a state before the machine hears of it: one that is not what its message says is
    /// another event.
    private func event(for packet: Packet) -> ChannelMessage {
        if packet.message.kind == .state {
            do {
                stagedState = try Legacy.state(packet)
            } catch {
                return .descriptorMismatch(error.reason)
            }
        }
        return ChannelMessage(packet.message)
    }

    private func completeInheritance() {
        do {
            for batch in batches { try legacy.add(batch) }
            batches = []
            inheritance.fulfil(.success(()))
        } catch {
            handle(.applicationFailed(error))
        }
    }
}

extension Succeeding.Legacy {
    /// Compares the descriptors of a batch with its manifest and keeps them.
    fileprivate mutating func add(_ packet: Packet) throws(Failure) {
        service = packet.message.text("SERVICE") ?? ""
        generation = packet.message.integer("GENERATION") ?? 0
        predecessor = Int32(clamping: packet.message.integer("PID") ?? 0)
        guard let entries = ManifestBody.decode(packet.message.body),
            entries.count == packet.descriptors.count
        else {
            throw Failure(
                code: .descriptor,
                reason:
                    "\(packet.descriptors.count) descriptors came with a manifest of other lines")
        }
        for (entry, descriptor) in zip(entries, packet.descriptors) {
            if entry.what == "lock" {
                lock = descriptor
            } else if entry.isStored, entry.origin == .unspecified {
                stored.append(StoredDescriptor(name: entry.name, descriptor: descriptor))
            } else {
                inherited.append(try Manifest.verify(descriptor, against: entry))
            }
        }
    }

    fileprivate static func state(_ packet: Packet) throws(Failure) -> HandedState {
        let body = packet.message.body
        let size = packet.message.integer("SIZE") ?? body.count
        if let file = packet.descriptors.first {
            do {
                return try HandedState.verified(file, size: size)
            } catch {
                throw Failure(code: .descriptor, reason: error.message)
            }
        }
        guard body.count == size else {
            throw Failure(
                code: .malformed, reason: "a state of \(body.count) bytes, announced as \(size)")
        }
        return HandedState(content: .bytes(body))
    }
}
