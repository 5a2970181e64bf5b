// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
package import SuccessionSystem
package import SystemPackage

/// A process that stays while generations come and go: it starts the first one, hands on signals,
/// reaps, and leaves with the status of the last one.
///
/// For what waits for one process and takes its end for the service's: the kernel for process 1,
/// runsv, s6-supervise, supervisord. It holds no listener and no connection.
package struct ForegroundParent {
    /// In the environment of the generations: the pid of the parent, or `off`.
    package static let variable = "SUCCESSION_FOREGROUND"

    /// Handed on; one that is ignored when the parent begins is ignored by everybody.
    private static let signals: [CInt] = [
        Signals.hangUp, Signals.interrupt, Signals.quit, Signals.user1, Signals.user2,
        Signals.terminate,
    ]

    private let directory: RuntimeDirectory
    private let child: SpawnRequest

    /// - Parameter child: the first generation; its environment gets ``variable``.
    package init(_ directory: RuntimeDirectory, child: SpawnRequest) {
        self.directory = directory
        var child = child
        child.environment.removeAll { $0.hasPrefix(Self.variable + "=") }
        child.environment.append("\(Self.variable)=\(ProcessEnvironment.processID)")
        // What was meant for this program is for the one that does its work.
        let kept = Descendants.descriptorsKeptOverExec()
        child.descriptors += kept.map { (source: $0, target: $0) }
        if ProcessEnvironment.value("LISTEN_PID") == "\(ProcessEnvironment.processID)" {
            child.setsListenPID = true
        }
        child.environment.removeAll { $0.hasPrefix("WATCHDOG_PID=") }
        child.ignoredSignals = .inherited()
        self.child = child
    }

    /// Returns the status of the last generation when the line is over; throws if the first cannot
    /// be started.
    ///
    /// - Parameter started: gets its pid.
    package func run(started: (Int32) -> Void = { _ in }) throws(Errno) -> Int32 {
        // Process 1 adopts all orphans anyway.
        if ProcessEnvironment.processID != 1 { try Descendants.adoptOrphans() }
        let pipe = try Syscall.pipe(nonBlocking: true)
        let relayed = Self.signals.filter { !Signals.isIgnored($0) } + [Signals.child]
        try SignalRelay.installTellingOrigin(relayed, writingTo: pipe.write.rawValue)
        defer { SignalRelay.restoreDefault(relayed) }
        SignalRelay.unblockInThisThread(relayed)
        // Without it a generation is found at the next signal, or the end of another.
        let watch = try? DirectoryWatch()
        if let watch { _ = try? watch.add(directory.path) }
        let first = try child.spawn()
        closeListeners()
        started(first.processID)
        var machine = ForegroundStateMachine(first: first.processID)
        var known = KnownProcesses()
        while true {
            let events = wait(pipe.read, watch)
            // First: signals go to the generations that are here.
            let now = directory.line { known.isOurs($0) }
            for event in [.found(now)] + events {
                for action in machine.handle(event) {
                    if let status = perform(action, &machine) { return status }
                }
            }
            for pid in machine.known where !Descendants.exists(pid) {
                _ = machine.handle(.vanished(pid))
            }
            for action in machine.handle(.allHeard) {
                if let status = perform(action, &machine) { return status }
            }
        }
    }

    /// Waits for signals and for changes of the directory, and returns what the machine is to hear.
    private func wait(
        _ pipe: OwnedDescriptor, _ watch: DirectoryWatch?
    ) -> [ForegroundStateMachine.Event] {
        let watched = [
            (pipe.rawValue, Syscall.pollIn), (watch?.descriptor.rawValue ?? -1, Syscall.pollIn),
        ]
        // Now and then without an event: a directory may be removed and made again.
        _ = try? Syscall.poll(watched, timeoutMilliseconds: 10_000)
        _ = try? watch?.events()
        var events: [ForegroundStateMachine.Event] = []
        while let bytes = try? Syscall.read(pipe.rawValue, count: 64), !bytes.isEmpty {
            for byte in bytes where CInt(byte & 0x7F) != Signals.child {
                let number = CInt(byte & 0x7F)
                // The end of a terminal is told to the leader of its session alone.
                let isAlone = number == Signals.hangUp && Descendants.isSessionLeader
                events.append(.signal(number, groupKnows: byte & 0x80 != 0 && !isAlone))
            }
        }
        while true {
            switch Descendants.reapAny() {
            case .ended(let pid, let status):
                events.append(.ended(pid, status: status.asShellStatus))
            case .noneEnded: return events
            case .childless: return events + [.childless]
            }
        }
    }

    /// Nil: the parent stays.
    private func perform(
        _ action: ForegroundStateMachine.Action, _ machine: inout ForegroundStateMachine
    ) -> Int32? {
        switch action {
        case .forward(let number, let processes):
            for pid in processes { try? ProcessHandle.open(pid).signal(number) }
            return nil
        case .askForLock:
            for next in machine.handle(.locked(directory.isLocked)) {
                if let status = perform(next, &machine) { return status }
            }
            return nil
        case .leave(let status):
            return status
        }
    }

    /// The sockets of a service manager: as long as this process had them too, they would outlive
    /// the line.
    private func closeListeners() {
        guard child.setsListenPID,
            let count = ProcessEnvironment.value("LISTEN_FDS").flatMap({ CInt($0) }), count > 0
        else { return }
        for number in child.descriptors.map(\.source)
        where (3..<(3 &+ min(count, 4_096))).contains(number) {
            OwnedDescriptor(taking: number).close()
        }
    }
}

/// Which processes were looked at: to follow their parents takes as many reads of /proc.
private struct KnownProcesses {
    private var answers: [Int32: Bool] = [:]

    /// Whether a generation belongs to this parent; where nothing tells, it does.
    mutating func isOurs(_ pid: Int32) -> Bool {
        if let answer = answers[pid] { return answer }
        let answer = Descendants.contain(pid) ?? true
        // A service has few living generations, and numbers are used again.
        if answers.count > 64 { answers = [:] }
        answers[pid] = answer
        return answer
    }
}

extension RuntimeDirectory {
    /// The generations that answer, as far as `isOurs` says that they matter.
    fileprivate func line(_ isOurs: (Int32) -> Bool) -> ForegroundStateMachine.Line {
        var living: [Int: Int32] = [:]
        for generation in generations() {
            guard let pid = listenerProcess(generation), pid > 0, isOurs(pid) else { continue }
            living[generation] = pid
        }
        return ForegroundStateMachine.Line(living: living, serving: servingGeneration())
    }

    /// Whether somebody holds the lock of the service; a directory that is gone is nobody's.
    fileprivate var isLocked: Bool {
        guard (try? Syscall.status(lockPath)) != nil else { return false }
        do {
            return try takeLock() == nil
        } catch {
            return false
        }
    }
}
