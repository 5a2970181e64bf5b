// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionSystem
import Synchronization

/// What a generation has to do with the service manager that started it (docs/supervision.md).
///
/// There is none without `NOTIFY_SOCKET`, and then nothing of this is ever called.
@ControlThread
final class Supervision {
    typealias Report = @ControlThread (SuccessionEvent.Level, String) -> Void

    let manager: ServiceManager
    /// Whether the manager itself started this process, and so would take a sibling of it for one
    /// of its own.
    let isChildOfManager: Bool
    let watchdogInterval: Duration?
    let unit: (name: String, isOfUser: Bool)?

    private let report: Report
    private let parent = ProcessEnvironment.parentProcessID
    /// Whether /proc told the control group of this process when it began.
    private let seesGroups: Bool
    private var hasComplained = false
    private var heartbeat: Heartbeat?
    /// The manager did not get the last ping.
    private let isPingLost = Atomic(false)
    private var extensions: Repetition?

    init?(
        health: @escaping @Sendable () -> Heartbeat.Check?, report: @escaping Report
    ) {
        guard let manager = ServiceManager() else { return nil }
        self.manager = manager
        self.report = report
        let ownGroup = ControlGroup.own()
        seesGroups = ownGroup != nil
        unit = ownGroup?.unit
        watchdogInterval = ServiceManager.watchdogInterval()
        // A wrapper that waits for this process is in the unit too; a manager never is. A parent that
        // cannot be seen is another user's process. One outside of the pid namespace (0) does not know
        // the numbers of this one.
        let ofParent = ControlGroup.of(parent)
        let isWrapped = ownGroup.map { ofParent?.isOfSameUnit(as: $0) == true }
        isChildOfManager = parent > 0 && isWrapped == false
        heartbeat = watchdogInterval.map {
            Heartbeat(
                within: $0, health: health, report: report, beat: { [weak self] in self?.ping() })
        }
        manager.prepare()
        ProcessExit.onExit { manager.flush() }
    }

    /// What `SUCCESSION_FDSTORE` says, for managers that do not tell the limit; else what they tell.
    static func storeLimit() -> Int? {
        ProcessEnvironment.value("SUCCESSION_FDSTORE").flatMap { Int($0) }
            ?? ServiceManager.storeLimit()
    }

    // MARK: Saying things

    func say(_ notices: ManagerNotice...) {
        manager.submit(notices) { result in
            guard case .failure(let error) = result else { return }
            Task { @ControlThread [weak self] in self?.complain(error) }
        }
    }

    private func complain(_ error: ActivationError) {
        guard !hasComplained else { return }
        hasComplained = true
        report(.warning, "the service manager was not told: \(error)")
    }

    /// This generation accepts, and is the main process.
    func serving(_ status: String) {
        endExtensions()
        say(.ready, .watchdog, .status(status))
    }

    /// The last of its line leaves.
    func stopping(_ status: String) {
        say(.stopping, .status(status))
    }

    /// Reports when pings begin to fail, and when they arrive again.
    private func ping() {
        manager.submit([.watchdog]) { [weak self] result in
            guard let self else { return }
            let isLost = if case .failure = result { true } else { false }
            guard isPingLost.exchange(isLost, ordering: .relaxed) != isLost else { return }
            Task { @ControlThread in self.pingChanged(result) }
        }
    }

    private func pingChanged(_ result: Result<Void, ActivationError>) {
        switch result {
        case .success: report(.info, "the service manager's watchdog hears of this process again")
        case .failure(let error):
            let interval = watchdogInterval.map { "\($0)" } ?? "its time"
            report(
                .error,
                "the service manager's watchdog was not told that this process lives, and ends it after \(interval): \(error)"
            )
        }
    }

    func startPinging() { heartbeat?.start() }

    func stopPinging() { heartbeat?.stop() }

    // MARK: Long phases

    /// Has the manager wait as long as this generation does; says nothing if it is over soon.
    ///
    /// In small portions: a process that hangs meanwhile is not waited for.
    func extend(for limit: Duration) {
        endExtensions()
        let end = Syscall.monotonicNanoseconds() + limit.nanosecondsClamped
        extensions = Repetition(every: .seconds(4), first: .milliseconds(500)) { [weak self] in
            guard Syscall.monotonicNanoseconds() < end else {
                self?.endExtensions()
                return
            }
            self?.say(.extendTimeout(by: .seconds(10)))
        }
    }

    func endExtensions() {
        extensions?.stop()
        extensions = nil
    }

    // MARK: The main process

    /// Says that the successor will not be supervised, and why; for a manager that supervises another
    /// process than this one.
    func warnOfUnsupervisedSuccessor() {
        let reason =
            seesGroups
            ? "process \(parent), which started this one and is in the unit too: in a script, use 'exec'"
            : "whatever process it does now: /proc shows no control group, so nothing tells whose child this is"
        report(.warning, "the service manager goes on to supervise \(reason)")
    }

    /// Makes the successor the main process; `completion` gets the reason if the manager would not
    /// supervise it, or did not answer within `limit`.
    ///
    /// The service's time is the successor's from here on: the manager is asked to wait for `grace`.
    func introduce(
        _ successor: ProcessHandle, within limit: Duration, grace: Duration,
        _ completion: @escaping @ControlThread (String?) -> Void
    ) {
        if let obstacle = obstacle(to: successor.processID) { return completion(obstacle) }
        change(
            [
                .mainProcess(successor.processID, identity: successor.identity),
                .extendTimeout(by: grace),
            ], limit: limit, completion)
    }

    /// Makes another generation the main process again, if the manager still listens to this one.
    func giveBack(
        to predecessor: Int32, within limit: Duration,
        _ completion: @escaping @ControlThread () -> Void
    ) {
        guard obstacle(to: predecessor) == nil else { return completion() }
        change([.mainProcess(predecessor, identity: nil), .watchdog], limit: limit) { _ in
            completion()
        }
    }

    /// Says after a failed upgrade that this is the main process, as any process of the unit may with
    /// `NotifyAccess=all`; no `status`: it drains by now.
    func takeBack(_ status: String?) {
        if isChildOfManager { say(.mainProcess(ProcessEnvironment.processID, identity: nil)) }
        if let status { say(.watchdog, .status(status)) } else { say(.watchdog) }
        startPinging()
    }

    private func change(
        _ notices: [ManagerNotice], limit: Duration,
        _ completion: @escaping @ControlThread (String?) -> Void
    ) {
        var isDone = false
        // The barrier is a pipe.
        let loan = DescriptorReserve.shared.lend()
        let done = { @ControlThread (failure: String?) in
            if !isDone {
                isDone = true
                loan?.end()
                completion(failure)
            }
        }
        let timer = ControlThread.schedule(after: limit, of: .ownTime) {
            done("the service manager has not answered within \(limit)")
        }
        manager.submit(notices, barrier: limit) { result in
            Task { @ControlThread in
                timer.cancel()
                switch result {
                case .success: done(nil)
                case .failure(let error): done("\(error)")
                }
            }
        }
    }

    /// Why the manager would not supervise a process as it does this one.
    private func obstacle(to pid: Int32) -> String? {
        let loan = DescriptorReserve.shared.lend()
        defer { loan?.end() }
        guard let status = ProcessStatus.of(pid) else {
            // Hidden (hidepid=, ProtectProc=), and one of this line: it was started as a sibling.
            return (try? ProcessHandle.open(pid)) == nil ? "process \(pid) has ended" : nil
        }
        if status.hasEnded { return "process \(pid) has ended" }
        guard status.parentProcessID == ProcessEnvironment.parentProcessID else {
            return
                "process \(pid) is a child of \(status.parentProcessID), not of the service manager (\(ProcessEnvironment.parentProcessID)), which would not notice its end"
        }
        // Asked anew: a manager may move the processes of a unit between groups of its own.
        guard let own = ControlGroup.own(), ControlGroup.of(pid)?.isOfSameUnit(as: own) == true
        else {
            return
                "process \(pid) is not in the control group of this unit, so the service manager would neither stop nor watch it"
        }
        return nil
    }
}
