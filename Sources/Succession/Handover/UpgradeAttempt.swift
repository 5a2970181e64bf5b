// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// The predecessor's side of one upgrade: performs what ``PredecessorStateMachine`` decides.
@ControlThread
final class UpgradeAttempt {
    /// How it ended, for whoever asked.
    struct Outcome: Sendable {
        var failure: Failure?
        var successor: Int32
        var exit: ExitStatus?
        var lastLines: [String] = []
        /// How long nobody accepted.
        var standstill = Duration.zero
    }

    let plan: LaunchPlan
    /// Pid of the operator, or nil if a signal asked.
    let requestedBy: Int32?
    let startedAt = Syscall.monotonicNanoseconds()
    private(set) var successorPID: Int32 = 0
    private(set) var channel: MessageSocket?

    private let core: GenerationCore
    private let batches: [OfferBatch]
    /// Let go of at the end: it may be large.
    private var state: HandedState?
    /// The packets of the offer; empty if they depend on what the successor can.
    private var prepared: [[UInt8]] = []
    private var machine: PredecessorStateMachine
    private var process: ProcessHandle?
    private var captured: CapturedOutput?
    private var timer: Timer?
    /// In the place of a pidfd.
    private var polling: Repetition?
    private var exit: ExitStatus?
    /// What the successor said had gone wrong: why it ended, if it ends without another word.
    private var trouble: Failure?
    private var stepStartedAt = Syscall.monotonicNanoseconds()
    private var standstill = Duration.zero
    private let whenStepped: @ControlThread (StepReport) -> Void
    private let whenDone: @ControlThread (Outcome) -> Void

    init(
        _ core: GenerationCore, plan: LaunchPlan, requestedBy: Int32?, state: HandedState?,
        whenStepped: @escaping @ControlThread (StepReport) -> Void,
        whenDone: @escaping @ControlThread (Outcome) -> Void
    ) {
        self.core = core
        self.plan = plan
        self.requestedBy = requestedBy
        self.state = state
        self.whenStepped = whenStepped
        self.whenDone = whenDone
        batches = core.offer()
        machine = PredecessorStateMachine(
            batches: batches.map { $0.descriptors.count }, stateSize: state?.count)
    }

    func begin() {
        handle(.begin)
    }

    func cancel(_ reason: String) {
        handle(.cancelled(reason))
    }

    private func handle(_ event: PredecessorStateMachine.Event) {
        for action in machine.handle(event) { perform(action) }
    }

    private func perform(_ action: PredecessorStateMachine.Action) {
        switch action {
        case .spawn: spawn()
        case .sendOffer(let batch): sendOffer(batch)
        case .sendState: sendState()
        case .pauseAccepting: pause()
        case .sendCommitted:
            core.step("committed")
            // First: nobody accepts until it has arrived.
            send(Message(.committed))
            core.stoodBy()
        case .resumeAccepting: core.resumeServing()
        case .drain: core.succeeded(by: self)
        case .sendAbort(let failure): send(failure.message(.abort))
        case .sendRefusedUnknownKind(let kind):
            send(Failure.unknownKind(kind).message(.refused))
        case .terminateSuccessor: try? process?.signal(Signals.terminate)
        case .killSuccessor: try? process?.signal(Signals.kill)
        case .setDeadline(let deadline): setDeadline(deadline)
        case .clearDeadline: timer?.cancel()
        case .step(let step, let progress): report(step, progress)
        case .succeeded: finish(nil)
        case .failed(let failure): finish(failure)
        }
    }
}

// MARK: - Actions

extension UpgradeAttempt {
    private func spawn() {
        let failure = start()
        // Told when it has happened: the telling would hold it up.
        core.reportStart(of: self)
        handle(failure.map { .spawnFailed($0) } ?? .spawned)
    }

    /// Starts the successor, or returns why there is none.
    private func start() -> Failure? {
        do {
            let (ours, theirs) = try Syscall.socketPair(type: .sequencedPacket, nonBlocking: true)
            let captured = try CapturedOutput()
            let request = plan.request(
                own: core.program, channel: theirs, capturedError: captured.file,
                asSibling: core.supervision?.isChildOfManager == true)
            do {
                // The request holds numbers only.
                process = try withExtendedLifetime((theirs, captured)) { try request.spawn() }
            } catch {
                let errno = error as? Errno ?? .invalidArgument
                return Self.explain(errno, path: request.path)
            }
            self.captured = captured
            channel = MessageSocket(ours)
            successorPID = process?.processID ?? 0
            try watch(ours)
            prepareOffers()
            return nil
        } catch {
            endUnwatched()
            return Failure(code: .start, reason: "cannot start a successor: \(error)")
        }
    }

    /// A successor that was started but cannot be watched must not live on unseen: the failure that
    /// is reported says that there is none.
    private func endUnwatched() {
        guard let process else { return }
        try? process.signal(Signals.kill)
        _ = process.waitForExit(deadline: Syscall.monotonicNanoseconds() + 1_000_000_000)
        exit = try? process.reap()
    }

    private static func explain(_ errno: Errno, path: String) -> Failure {
        let hint =
            switch errno {
            case .noSuchFileOrDirectory: "there is no such file (or its interpreter is missing)"
            case .permissionDenied: "it is not executable for this user"
            case .execFormatError: "it is no program for this machine"
            default: "\(errno)"
            }
        return Failure(code: .start, reason: "cannot execute \(path): \(hint)")
    }

    private func watch(_ channel: OwnedDescriptor) throws(Errno) {
        try ControlThread.watch(channel.rawValue) { [weak self] in self?.channelReadable() }
        guard let pidfd = process?.descriptor else { return pollForEnd() }
        try ControlThread.watch(pidfd.rawValue) { [weak self] in self?.successorEnded() }
    }

    /// On a kernel without pidfds nothing tells of the end of a process.
    private func pollForEnd() {
        polling = Repetition(every: .milliseconds(100)) { [weak self] in
            if self?.process?.isAlive() == false { self?.successorEnded() }
        }
    }

    /// While the successor is starting there is time; once it has said hello it waits.
    private func prepareOffers() {
        guard state == nil else { return }
        prepared = batches.indices.map { offer($0 + 1).encoded() }
    }

    private func sendOffer(_ number: Int) {
        let packet = prepared.isEmpty ? offer(number).encoded() : prepared[number - 1]
        send(.offer, packet, descriptors: batches[number - 1].descriptors)
    }

    private func offer(_ number: Int) -> Message {
        var message = Message(.offer)
        let batch = batches[number - 1]
        message.add("SERVICE", core.service)
        message.add("GENERATION", core.number + 1)
        message.add("PID", Int(ProcessEnvironment.processID))
        message.add("FEATURES", "state memfd")
        message.add("BATCH", "\(number)/\(batches.count)")
        message.add("TOTAL", batches.reduce(0) { $0 + $1.descriptors.count })
        message.add("STATE", machine.willSendState ? 1 : 0)
        message.add("FDS", batch.descriptors.count)
        message.body = batch.manifest
        return message
    }

    private func sendState() {
        guard let state else { return }
        var message = Message(.state)
        message.add("SIZE", state.count)
        switch state.content {
        case .bytes(let bytes):
            message.body = bytes
            send(message)
        case .file(let file, _):
            message.add("FDS", 1)
            send(message, descriptors: [file.rawValue])
        }
    }

    private func pause() {
        guard let supervision = core.supervision, let process else { return pauseAccepting() }
        core.step("introducing")
        core.store?.relinquish()
        supervision.introduce(process) { [weak self] failure in
            guard let self else { return }
            // What has failed meanwhile needs no pause.
            switch (failure, self.machine.state) {
            case (nil, .pausing): self.pauseAccepting()
            default: self.handle(.pauseFailed(failure ?? "the upgrade is over"))
            }
        }
    }

    private func pauseAccepting() {
        core.step("pausing")
        core.pauseAccepting { [weak self] failure in
            if let failure {
                self?.handle(.pauseFailed(failure))
            } else {
                self?.handle(.paused)
            }
        }
    }

    private func send(_ message: Message, descriptors: [CInt] = []) {
        send(message.kind, message.encoded(), descriptors: descriptors)
    }

    private func send(_ kind: MessageKind, _ packet: [UInt8], descriptors: [CInt]) {
        core.step("send \(kind.rawValue)")
        do {
            try channel?.send(encoded: packet, descriptors: descriptors)
        } catch {
            // A peer that is gone or reads nothing is told of by end-of-file or the deadline, in
            // order.
            if error == .brokenPipe || error == .resourceTemporarilyUnavailable { return }
            let failure = Failure(
                code: .channel, reason: "cannot send '\(kind.rawValue)': \(error)")
            // Later: the machine's actions are performed to the end before it hears of the next
            // event.
            Task { @ControlThread [weak self] in self?.handle(.sendFailed(failure)) }
        }
    }

    private func setDeadline(_ deadline: PredecessorStateMachine.Deadline) {
        timer?.cancel()
        let delay: Duration =
            switch deadline {
            case .ready: plan.readyTimeout ?? core.configuration.readyTimeout
            case .accepting: .seconds(5)
            case .death: .seconds(1)
            }
        timer = ControlThread.schedule(after: delay) { [weak self] in
            self?.handle(.deadlineExpired)
        }
    }

    private func report(
        _ step: PredecessorStateMachine.Step, _ progress: PredecessorStateMachine.Progress
    ) {
        let now = Syscall.monotonicNanoseconds()
        if progress == .started { stepStartedAt = now }
        let elapsed = Duration.nanoseconds(Int64(clamping: now - stepStartedAt))
        if step == .commit, progress != .started { standstill = elapsed }
        whenStepped(
            StepReport(
                step: step.rawValue, status: progress == .started ? "running" : "ok",
                elapsed: elapsed, detail: detail(of: step)))
    }

    private func detail(of step: PredecessorStateMachine.Step) -> String {
        switch step {
        case .start:
            successorPID == 0 ? plan.executable ?? core.program.path : "pid \(successorPID)"
        case .offer: "\(batches.reduce(0) { $0 + $1.descriptors.count }) descriptors"
        case .ready:
            "at most \((plan.readyTimeout ?? core.configuration.readyTimeout).components.seconds) s"
        case .commit: "generation \(core.number + 1) accepts"
        }
    }
}

// MARK: - Events

extension UpgradeAttempt {
    private func channelReadable(onlyRefusals: Bool = false) {
        while let channel {
            do throws(TransportError) {
                guard let packet = try channel.receive() else {
                    stopWatchingChannel()
                    handle(.endOfFile)
                    return
                }
                core.step("received \(packet.message.kind.rawValue)")
                // Until it spoke, it was starting: what is measured from here is the hand-over.
                if packet.message.kind == .hello { stepStartedAt = Syscall.monotonicNanoseconds() }
                if packet.message.kind == .trouble {
                    trouble = Failure(packet.message)
                    continue
                }
                if onlyRefusals, packet.message.kind != .abort { continue }
                handle(.received(ChannelMessage(packet.message)))
            } catch {
                if error.isWouldBlock { return }
                handle(.received(ChannelMessage(error)))
            }
        }
    }

    private func successorEnded() {
        // A refusal says more than a status. Anything else it sent is the word of the dead: to
        // commit on it would leave nobody to accept.
        channelReadable(onlyRefusals: true)
        exit = (isLeftToForegroundParent ? nil : try? process?.reap()) ?? process?.exitStatus()
        if let pidfd = process?.descriptor { ControlThread.unwatch(pidfd.rawValue) }
        polling?.stop()
        guard exit == nil, core.supervision?.isChildOfManager == true else {
            handle(.successorExited)
            return
        }
        // The manager's child: how it ended can be asked once that has waited for it.
        _ = ControlThread.schedule(after: .milliseconds(20)) { [self] in
            exit = process?.exitStatus()
            handle(.successorExited)
        }
    }

    /// The line's status is that of its last generation: once it serves, its end is for the parent of
    /// all of them, which gets it with the end of this process.
    private var isLeftToForegroundParent: Bool {
        machine.state == .succeeded && Foreground.parent != nil
    }

    private func stopWatchingChannel() {
        if let channel { ControlThread.unwatch(channel.descriptor.rawValue) }
    }

    private func finish(_ failure: Failure?) {
        timer?.cancel()
        if failure != nil || exit != nil { polling?.stop() }
        if let pidfd = process?.descriptor, failure != nil || exit != nil {
            ControlThread.unwatch(pidfd.rawValue)
        }
        var failure = failure
        if let trouble, let code = failure?.code, [.exited, .channel, .timeout].contains(code) {
            failure?.reason += ": \(trouble.reason)"
        }
        var outcome = Outcome(failure: failure, successor: successorPID, exit: exit)
        outcome.standstill = standstill
        if failure != nil {
            stopWatchingChannel()
            if let captured {
                outcome.lastLines = captured.telltaleLines(20)
                // A successor that was ready has copied it itself.
                if machine.step != .commit { Syscall.writeWithoutWaiting(2, captured.text()) }
            }
            channel = nil
        }
        captured = nil
        state = nil
        whenDone(outcome)
    }
}

/// One line of progress.
struct StepReport: Sendable {
    let step: String
    let status: String
    let elapsed: Duration
    let detail: String
}
