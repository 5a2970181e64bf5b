// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SuccessionSystem
import SuccessionTransport
package import SystemPackage

/// The successor's side of a hand-over: performs what ``SuccessorStateMachine`` decides.
@ControlThread
package final class SuccessorDriver {
    /// Why this process does not succeed its predecessor.
    package enum Refusal: Error {
        /// Either side has given up.
        case failed(Failure)
        case cannotWatchChannel(Errno)
    }

    private let channel: MessageSocket
    private let standardError: OwnedDescriptor?
    /// The driver passes a named place; tests stop a process there.
    private let step: @Sendable (String) -> Void
    private let deadlines: HandoverDeadlines
    /// Pid of the predecessor, as it says.
    package private(set) var predecessor: Int32 = 0
    package private(set) var isPredecessorGone = false
    private var hasEnded = false
    private var machine = SuccessorStateMachine()
    /// What the machine wants done first, and only the control thread can do.
    private var beginning: [SuccessorStateMachine.Action] = []
    private var inherited = InheritedResources()
    private var packet: Packet?
    private var stagedState: StateContent?
    /// Taken, and not yet compared with their manifests.
    private var batches: [(offer: Wire.Offer, packet: Packet)] = []
    private var timer: Timer?
    private let inheritance = OneShot<Result<Void, Refusal>>()
    private let serving = OneShot<Result<Void, Refusal>>()
    private let predecessorGone = OneShot<Void>()
    /// Nil until the application is ready.
    private var host: (any SuccessorHost)?
    private var hasSaidReady = false
    /// The listeners that are closed.
    private var untaken: [Wire.Ready.Left] = []
    /// Why the predecessor has not heard of this process.
    private let helloFailure: Errno?

    /// Says hello, on the caller's thread: the predecessor makes its offer while this process is
    /// still setting itself up.
    ///
    /// - Parameter standardError: the real one, if what this process prints is captured until it
    ///   serves.
    package nonisolated init(
        channel: OwnedDescriptor, standardError: OwnedDescriptor?,
        deadlines: HandoverDeadlines = HandoverDeadlines(),
        step: @escaping @Sendable (String) -> Void
    ) {
        self.channel = MessageSocket(channel)
        self.standardError = standardError
        self.step = step
        self.deadlines = deadlines
        var helloFailure: Errno?
        for action in machine.handle(.begin) {
            if action == .sendHello {
                helloFailure = Self.send(
                    Wire.Hello(processID: ProcessEnvironment.processID), over: self.channel, step)
            } else {
                beginning.append(action)
            }
        }
        self.helloFailure = helloFailure
    }

    /// Has what the predecessor offers taken as it comes.
    package func beginTaking() {
        do {
            try ControlThread.watch(channel.descriptor.rawValue) { [weak self] in self?.readable() }
        } catch {
            inheritance.fulfil(.failure(.cannotWatchChannel(error)))
        }
        for action in beginning { perform(action) }
        beginning = []
        if let helloFailure { cannotSend(.hello, helloFailure) }
    }

    /// Returns what the predecessor has handed over when everything is here, once; it belongs to the
    /// caller from then on.
    ///
    /// ``beginTaking()`` comes before. Cancellation does not end the wait, which has a deadline.
    package func inherit() async throws(Refusal) -> InheritedResources {
        try await inheritance.value().get()
        // Kept by nobody else: a one-shot would hold it until the process ends.
        defer {
            inherited = InheritedResources()
            stagedState = nil
        }
        predecessor = inherited.predecessor
        return inherited
    }

    /// Returns when the predecessor has ended, or at once if it has.
    package func untilPredecessorIsGone() async { await predecessorGone.value() }

    /// Says that the application is ready, and which listeners it closes; returns when `host` accepts.
    ///
    /// Cancellation does not end the wait, which has a deadline.
    package func ready(
        without untaken: [Wire.Ready.Left], on host: any SuccessorHost
    ) async throws(Refusal) {
        self.untaken = untaken
        self.host = host
        handle(.applicationReady)
        try await serving.value().get()
    }

    /// Refuses what was taken; the predecessor serves on.
    package func refuse(_ failure: Failure) {
        handle(.applicationFailed(failure))
    }

    /// Tells the predecessor, if it still drains, that nobody need take the place of this
    /// generation.
    package func leave() {
        handle(.leaves)
    }

    /// Tells the predecessor what went wrong, should it be the reason for which this process ends.
    ///
    /// Returns when it is told: an application that does not catch the error is gone in a moment.
    package nonisolated func mention(_ reason: String) {
        guard let told = try? Syscall.eventDescriptor() else { return }
        Task { @ControlThread in
            if !hasSaidReady, channel.descriptor.rawValue >= 0 {
                send(Wire.Trouble(Failure(code: .application, reason: reason)))
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
        case .takeBatch:
            // The machine has read it as an offer.
            if let packet, let offer = try? Wire.Offer(packet.message) {
                batches.append((offer, packet))
            }
        case .sendTaken(let batch):
            send(Wire.Taken.batch(batch, descriptors: packet?.descriptors.count ?? 0))
            packet = nil
        case .takeState: inherited.state = stagedState
        case .sendTakenState:
            send(Wire.Taken.state(size: inherited.state?.count ?? 0))
            packet = nil
        case .inheritanceComplete: completeInheritance()
        case .sendReady:
            hasSaidReady = true
            send(Wire.Ready(left: untaken))
            // While the predecessor pauses.
            endRedirection()
        case .startAccepting: start()
        case .sendAccepting: sendAccepting()
        case .sendLeaving: send(Wire.Leaving())
        case .serving:
            endRedirection()
            serving.fulfil(.success(()))
        case .sendAbort(let failure): send(Wire.Abort(failure))
        case .sendRefusedUnknownKind(let kind): send(Wire.Refused(unknownKind: kind))
        case .fail(let failure): fail(failure)
        case .predecessorGone:
            endRedirection()
            closeChannel()
            isPredecessorGone = true
            predecessorGone.fulfil(())
        case .setDeadline(let deadline): setDeadline(deadline)
        case .clearDeadline: timer?.cancel()
        }
    }

    private func send(_ message: some WireMessage) {
        if let error = Self.send(message, over: channel, step) {
            cannotSend(type(of: message).kind, error)
        }
    }

    /// Gives up at once and says why: the predecessor waits for what it did not get.
    private func cannotSend(_ kind: Message.Kind, _ error: Errno) {
        guard [.hello, .taken, .ready].contains(kind) else { return }
        let failure = Failure(
            code: .application,
            reason: "cannot send '\(kind.rawValue)' to the predecessor: \(error)")
        // Later: the machine's actions are performed to the end before it hears of the next event.
        Task { @ControlThread [weak self] in self?.handle(.applicationFailed(failure)) }
    }

    private nonisolated static func send(
        _ message: some WireMessage, over channel: MessageSocket,
        _ step: @Sendable (String) -> Void
    ) -> Errno? {
        step("send \(type(of: message).kind.rawValue)")
        do {
            try channel.send(message.message)
            return nil
        } catch {
            // A predecessor that is gone is told by end-of-file, in order with what it sent before;
            // one that reads nothing, by the deadline.
            let isTold: [Errno] = [.brokenPipe, .connectionReset, .resourceTemporarilyUnavailable]
            return isTold.contains(error) ? nil : error
        }
    }

    /// Until it is taken, or nobody is there to take it: a predecessor that does not hear of it ends
    /// this process, which serves.
    private func sendAccepting() {
        step("send accepting")
        guard channel.descriptor.rawValue >= 0 else { return }
        do {
            try channel.send(Wire.Accepting().message)
        } catch {
            if error == .brokenPipe || error == .connectionReset { return }
            _ = ControlThread.schedule(after: deadlines.resend) { [weak self] in
                self?.sendAccepting()
            }
        }
    }

    private func start() {
        ControlThread.begin { [weak self] in
            do {
                try await self?.host?.startAccepting()
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
        let length = deadlines.length(of: deadline)
        timer = ControlThread.schedule(after: length, of: .ownTime) { [weak self] in
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
        // Before the application is ready nobody takes this process for the service's.
        guard let host else { return end(failure) }
        host.handoverFailed { [self] in end(failure) }
    }

    private func end(_ failure: Failure) {
        closeChannel()
        inheritance.fulfil(.failure(.failed(failure)))
        serving.fulfil(.failure(.failed(failure)))
    }

    private func closeChannel() {
        ControlThread.unwatch(channel.descriptor.rawValue)
        channel.descriptor.close()
    }
}

// MARK: - What arrives

extension SuccessorDriver {
    private func readable() {
        while channel.descriptor.rawValue >= 0 {
            do throws(TransportError) {
                guard let packet = try channel.receive() else {
                    ControlThread.unwatch(channel.descriptor.rawValue)
                    hasEnded = true
                    handle(.endOfFile)
                    return
                }
                step("received \(packet.message.kindName)")
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
                stagedState = try InheritedResources.state(packet)
            } catch {
                return .descriptorMismatch(error.reason)
            }
        }
        return ChannelMessage(packet.message)
    }

    private func completeInheritance() {
        do {
            for batch in batches { try inherited.add(batch.offer, batch.packet) }
            batches = []
            inheritance.fulfil(.success(()))
        } catch {
            handle(.applicationFailed(error))
        }
    }
}
