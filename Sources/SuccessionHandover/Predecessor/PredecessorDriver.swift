// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SuccessionSystem
package import SuccessionTransport
import SystemPackage

/// The predecessor's side of one upgrade: performs what ``PredecessorStateMachine`` decides.
@ControlThread
package final class PredecessorDriver {
    /// How an upgrade ended.
    package struct Outcome: Sendable {
        /// Nil: the successor serves.
        package var failure: Failure?
        /// Pid of the successor; 0: it was never started.
        package var successor: Int32
        package var exit: ExitStatus?
        /// What a successor that failed printed to standard error.
        package var lastLines: [String] = []
        /// Listeners that the successor has closed.
        package var untaken: [String] = []
        /// How long nobody accepted.
        package var acceptGap = Duration.zero

        package init(failure: Failure?, successor: Int32, exit: ExitStatus? = nil) {
            self.failure = failure
            self.successor = successor
            self.exit = exit
        }
    }

    package let plan: LaunchPlan
    /// Pid of the operator, or nil if a signal asked.
    package let requestedBy: Int32?
    /// The successor takes the place of one that died while this generation drains.
    package let isRescue: Bool
    package let startedAt = Syscall.monotonicNanoseconds()
    /// 0 until the successor has been started.
    package internal(set) var successorPID: Int32 = 0
    package internal(set) var channel: MessageSocket?

    /// Owns what is offered, and this driver: it lets go of the driver when the upgrade has failed.
    let host: any PredecessorHost
    private let batches: [OfferBatch]
    /// Let go of at the end: it may be large.
    var state: StateContent?
    /// The packets of the offer; empty if they depend on what the successor can.
    private var prepared: [[UInt8]] = []
    private(set) var machine: PredecessorStateMachine
    /// While the successor is being started.
    var launch: Launch?
    var process: ProcessHandle?
    var captured: CapturedOutput?
    var timer: Timer?
    /// Where the kernel has no pidfds.
    var polling: Repetition?
    package internal(set) var exit: ExitStatus?
    let stoodStill = ControlThread.standstill
    /// What the successor said had gone wrong: why it ended, if it ends without another word.
    var trouble: Failure?
    var stepStartedAt = Syscall.monotonicNanoseconds()
    var acceptGap = Duration.zero
    private let whenStepped: @ControlThread (Wire.Step) -> Void
    let whenDone: @ControlThread (Outcome) -> Void

    /// `whenStepped` hears of each step twice, at its beginning and at its end; `whenDone` is called
    /// once, when the successor accepts or is dead.
    package init(
        _ host: any PredecessorHost, plan: LaunchPlan, requestedBy: Int32?, state: StateContent?,
        isRescue: Bool = false,
        whenStepped: @escaping @ControlThread (Wire.Step) -> Void,
        whenDone: @escaping @ControlThread (Outcome) -> Void
    ) {
        self.host = host
        self.plan = plan
        self.requestedBy = requestedBy
        self.state = state
        self.isRescue = isRescue
        self.whenStepped = whenStepped
        self.whenDone = whenDone
        batches = host.offer()
        machine = PredecessorStateMachine(
            batches: batches.map { $0.descriptors.count }, stateSize: state?.count,
            isDraining: isRescue, wantsAllTaken: plan.wantsAllTaken)
    }

    package func begin() {
        handle(.begin)
    }

    /// Calls the upgrade off, unless the successor has said meanwhile that it accepts.
    package func cancel(_ reason: String) {
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
        case .pauseAccepting:
            host.pauseAccepting(for: process) { [weak self] failure in
                self?.handle(failure.map { .pauseFailed($0) } ?? .paused)
            }
        case .abandonPause: host.abandonPause()
        case .sendCommitted:
            host.step("committed")
            // First: nobody accepts until it has arrived.
            sendCommitted()
            host.stoodBy()
        case .resumeAccepting: host.resumeServing()
        case .drain: host.succeeded(by: self)
        case .takeOver:
            stopWatchingChannel()
            channel = nil
            host.takeOver(from: self)
        case .letGo: host.letGo(of: self)
        case .sendAbort(let failure): send(Wire.Abort(failure))
        case .sendRefusedUnknownKind(let kind):
            send(Wire.Refused(unknownKind: kind))
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

extension PredecessorDriver {
    /// While the successor is starting there is time; once it has said hello it waits.
    func prepareOffers() {
        guard state == nil else { return }
        prepared = batches.indices.map { offer($0 + 1).message.encoded() }
    }

    private func sendOffer(_ number: Int) {
        let packet = prepared.isEmpty ? offer(number).message.encoded() : prepared[number - 1]
        send(.offer, packet, descriptors: batches[number - 1].descriptors)
    }

    private func offer(_ number: Int) -> Wire.Offer {
        let batch = batches[number - 1]
        return Wire.Offer(
            service: host.service, generation: host.number + 1,
            processID: ProcessEnvironment.processID, batch: number, of: batches.count,
            total: batches.reduce(0) { $0 + $1.descriptors.count },
            hasState: machine.willSendState, descriptors: batch.descriptors.count,
            manifest: batch.manifest)
    }

    private func sendState() {
        switch state {
        case .bytes(let bytes): send(Wire.State(bytes))
        case .file(let file, let size):
            send(Wire.State(fileOfSize: size), descriptors: [file.rawValue])
        case nil: break
        }
    }

    private func send(_ message: some WireMessage, descriptors: [CInt] = []) {
        send(type(of: message).kind, message.message.encoded(), descriptors: descriptors)
    }

    private func send(_ kind: Message.Kind, _ packet: [UInt8], descriptors: [CInt]) {
        host.step("send \(kind.rawValue)")
        do {
            try channel?.send(encoded: packet, descriptors: descriptors)
        } catch {
            failed(kind, error)
        }
    }

    private func failed(_ kind: Message.Kind, _ error: Errno) {
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
            host.step("send committed")
            try channel?.send(Wire.Committed().message)
        } catch {
            guard error == .resourceTemporarilyUnavailable else { return failed(.committed, error) }
            _ = ControlThread.schedule(after: host.deadlines.resend) { [weak self] in
                self?.sendCommitted()
            }
        }
    }

    private func setDeadline(_ deadline: PredecessorStateMachine.Deadline) {
        timer?.cancel()
        let length = deadline == .ready ? readyTimeout : host.deadlines.length(of: deadline)
        timer = ControlThread.schedule(after: length, of: .ownTime) { [weak self] in
            self?.handle(.deadlineExpired)
        }
    }

    private var readyTimeout: Duration { plan.readyTimeout ?? host.deadlines.ready }

    private func report(
        _ step: PredecessorStateMachine.Step, _ progress: PredecessorStateMachine.Progress
    ) {
        let now = Syscall.monotonicNanoseconds()
        if progress == .started { stepStartedAt = now }
        let elapsed = Duration.nanoseconds(Int64(clamping: now - stepStartedAt))
        if step == .commit, progress != .started { acceptGap = elapsed }
        whenStepped(
            Wire.Step(
                step: StepWord(step), status: progress == .started ? .running : .ok,
                elapsed: elapsed, detail: detail(of: step)))
    }

    private func detail(of step: PredecessorStateMachine.Step) -> String {
        switch step {
        case .start:
            successorPID == 0 ? host.path(of: plan) : "pid \(successorPID)"
        case .offer: "\(batches.reduce(0) { $0 + $1.descriptors.count }) descriptors"
        case .ready:
            "at most \(readyTimeout.components.seconds) s"
        case .commit: "generation \(host.number + 1) accepts"
        }
    }
}

extension Wire.Step {
    package var isDone: Bool { status == .ok }
    /// The successor's process runs.
    package var hasStarted: Bool { isDone && step == .start }
}

extension StepWord {
    fileprivate init(_ step: PredecessorStateMachine.Step) {
        switch step {
        case .start: self = .start
        case .offer: self = .offer
        case .ready: self = .ready
        case .commit: self = .commit
        }
    }
}
