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
        /// Listeners that the successor has closed.
        var untaken: [String] = []
        /// How long nobody accepted.
        var standstill = Duration.zero
    }

    let plan: LaunchPlan
    /// Pid of the operator, or nil if a signal asked.
    let requestedBy: Int32?
    /// In the place of a successor that died while this generation drains.
    let isRescue: Bool
    let startedAt = Syscall.monotonicNanoseconds()
    var successorPID: Int32 = 0
    var channel: MessageSocket?

    let core: GenerationCore
    private let batches: [OfferBatch]
    /// Let go of at the end: it may be large.
    private var state: HandedState?
    /// The packets of the offer; empty if they depend on what the successor can.
    private var prepared: [[UInt8]] = []
    private(set) var machine: PredecessorStateMachine
    /// While the successor is being started.
    var launch: Launch?
    var process: ProcessHandle?
    var captured: CapturedOutput?
    private var timer: Timer?
    /// In the place of a pidfd.
    var polling: Repetition?
    var exit: ExitStatus?
    private let stoodStill = ControlThread.standstill
    /// What the successor said had gone wrong: why it ended, if it ends without another word.
    private var trouble: Failure?
    private var stepStartedAt = Syscall.monotonicNanoseconds()
    private var standstill = Duration.zero
    private let whenStepped: @ControlThread (StepReport) -> Void
    private let whenDone: @ControlThread (Outcome) -> Void

    init(
        _ core: GenerationCore, plan: LaunchPlan, requestedBy: Int32?, state: HandedState?,
        isRescue: Bool = false,
        whenStepped: @escaping @ControlThread (StepReport) -> Void,
        whenDone: @escaping @ControlThread (Outcome) -> Void
    ) {
        self.core = core
        self.plan = plan
        self.requestedBy = requestedBy
        self.state = state
        self.isRescue = isRescue
        self.whenStepped = whenStepped
        self.whenDone = whenDone
        batches = core.offer()
        machine = PredecessorStateMachine(
            batches: batches.map { $0.descriptors.count }, stateSize: state?.count,
            isDraining: isRescue, wantsAllTaken: plan.wantsAllTaken)
    }

    func begin() {
        handle(.begin)
    }

    /// Calls the upgrade off, unless the successor has said meanwhile that it accepts.
    func cancel(_ reason: String) {
        // What has arrived counts: who stopped this process and told it to leave may let it go on
        // long after the successor has taken over.
        channelReadable()
        handle(.cancelled(reason))
    }

    func handle(_ event: PredecessorStateMachine.Event) {
        for action in machine.handle(event) { perform(action) }
    }

    private func perform(_ action: PredecessorStateMachine.Action) {
        switch action {
        case .spawn: spawn()
        case .abandonSpawn: abandonSpawn()
        case .sendOffer(let batch): sendOffer(batch)
        case .sendState: sendState()
        case .pauseAccepting: pause()
        case .sendCommitted:
            core.step("committed")
            // First: nobody accepts until it has arrived.
            sendCommitted()
            if !isRescue { core.stoodBy() }
        case .resumeAccepting: core.resumeServing()
        case .drain: core.succeeded(by: self)
        case .takeOver:
            stopWatchingChannel()
            channel = nil
            core.takeOver(from: self)
        case .letGo: core.letGo(of: self)
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
    /// While the successor is starting there is time; once it has said hello it waits.
    func prepareOffers() {
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
        message.add("FEATURES", "state memfd leaving")
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
            failed(kind, error)
        }
    }

    private func failed(_ kind: MessageKind, _ error: Errno) {
        // A peer that is gone or reads nothing is told of by end-of-file or the deadline, in order.
        if error == .brokenPipe || error == .resourceTemporarilyUnavailable { return }
        let failure = Failure.sending(kind, error)
        // Later: the machine's actions are performed to the end before it hears of the next event.
        Task { @ControlThread [weak self] in self?.handle(.sendFailed(failure)) }
    }

    /// Until there is room for it: nobody accepts while a successor waits for it that reads slowly.
    private func sendCommitted() {
        guard case .committed = machine.state else { return }
        do {
            core.step("send committed")
            try channel?.send(Message(.committed))
        } catch {
            guard error == .resourceTemporarilyUnavailable else { return failed(.committed, error) }
            _ = ControlThread.schedule(after: .milliseconds(50)) { [weak self] in
                self?.sendCommitted()
            }
        }
    }

    private func setDeadline(_ deadline: PredecessorStateMachine.Deadline) {
        timer?.cancel()
        let delay: Duration =
            switch deadline {
            case .ready: plan.readyTimeout ?? core.configuration.readyTimeout
            case .accepting: .seconds(5)
            case .death: .seconds(1)
            case .burial: .seconds(5)
            }
        timer = ControlThread.schedule(after: delay, of: .ownTime) { [weak self] in
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
    func channelReadable(onlyRefusals: Bool = false) {
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
                if onlyRefusals, packet.message.kind != .abort, packet.message.kind != .leaving {
                    continue
                }
                handle(.received(ChannelMessage(packet.message)))
            } catch {
                if error.isWouldBlock { return }
                handle(.received(ChannelMessage(error)))
            }
        }
    }

    func successorEnded() {
        // A refusal says more than a status, and so does that it left. Anything else it sent is the
        // word of the dead: to commit on it would leave nobody to accept.
        channelReadable(onlyRefusals: true)
        exit = (isLeftToForegroundParent ? nil : try? process?.reap()) ?? process?.exitStatus()
        if let pidfd = process?.descriptor { ControlThread.unwatch(pidfd.rawValue) }
        polling?.stop()
        guard exit == nil, core.supervision?.isChildOfManager == true else {
            tellEnd()
            return
        }
        // The manager's child: how it ended can be asked once that has waited for it.
        _ = ControlThread.schedule(after: .milliseconds(20)) { [self] in
            exit = process?.exitStatus()
            tellEnd()
        }
    }

    /// The line's status is that of its last generation: once it serves, its end is for the parent of
    /// all of them, which gets it with the end of this process.
    private var isLeftToForegroundParent: Bool {
        guard Foreground.parent != nil else { return false }
        switch machine.state {
        case .succeeded, .relieved: return true
        default: return false
        }
    }

    private func tellEnd() {
        handle(exit?.isOfOwnAccord == true ? .successorLeft : .successorExited)
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
        if failure != nil, exit == nil, let process, process.isAlive() { bury(process) }
        var failure = failure
        if let trouble, let code = failure?.code, [.exited, .channel, .timeout].contains(code) {
            failure?.reason += ": \(trouble.reason)"
        }
        failure?.reason += standstillNote
        var outcome = Outcome(failure: failure, successor: successorPID, exit: exit)
        outcome.standstill = standstill
        outcome.untaken = machine.untaken
        if failure != nil {
            if successorPID > 0 { plan.endDescendants() }
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

extension UpgradeAttempt {
    /// What looks like another one's slowness may have been this process's own.
    private var standstillNote: String {
        let seconds = (ControlThread.standstill &- stoodStill) / 1_000_000_000
        return seconds == 0 ? "" : "; this process itself stood still for \(seconds) s meanwhile"
    }
}

extension ExitStatus {
    /// Whether whoever ends so has not failed: it was done, or told to go.
    fileprivate var isOfOwnAccord: Bool {
        switch self {
        case .exited(let status): status == 0
        case .signaled(let signal, _):
            [Signals.terminate, Signals.interrupt, Signals.hangUp].contains(signal)
        }
    }
}

/// One line of progress.
struct StepReport: Sendable {
    let step: String
    let status: String
    let elapsed: Duration
    let detail: String
}
