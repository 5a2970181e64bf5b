// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import Synchronization
import SystemPackage

/// Every process that was started for one test: known by the runtime directory in its environment.
final class ServerProcesses: Sendable {
    let directory: TestDirectory
    /// The environment entry that every generation inherits.
    private let entry: String
    /// The first generation, which is a child of this process.
    private let first = Mutex<ProcessHandle?>(nil)

    init(_ directory: TestDirectory) {
        self.directory = directory
        entry = "SUCCESSION_RUNTIME_DIRECTORY=" + directory.runtime
    }

    deinit { killAll() }

    /// Starts the program.
    func start(
        _ command: SuccessorCommand, environment: [String]
    ) throws(TestUpgradeError) -> ProcessHandle {
        do {
            let output = try directory.openOutput()
            let input = try Syscall.open("/dev/null", .readOnly)
            let request = SpawnRequest(
                path: command.executable, arguments: command.arguments, environment: environment,
                descriptors: [
                    (source: input.rawValue, target: 0), (source: output.rawValue, target: 1),
                    (source: output.rawValue, target: 2),
                ])
            let process = try withExtendedLifetime((output, input)) { () throws(Errno) in
                try request.spawn()
            }
            first.withLock { $0 = process }
            return process
        } catch {
            throw TestUpgradeError(
                .cannotStart, "cannot start \(command.executable): \(error)")
        }
    }

    /// Processes that live.
    ///
    /// For a moment after its start the kernel does not show the environment of a program: the first generation is
    /// known without it.
    func living() -> [ProcessHandle] {
        let marked = MarkedProcesses.processes(entry)
        guard let first = first.withLock({ $0 }), first.isAlive(),
            !marked.contains(where: { $0.processID == first.processID })
        else { return marked }
        return [first] + marked
    }

    /// A process by its pid; nil: it was not started for this test.
    ///
    /// The child of one that was is told by its parent, as its environment may not be shown yet.
    func process(_ pid: Int, childOf parent: ProcessHandle? = nil) -> ProcessHandle? {
        guard let pid = Int32(exactly: pid), let process = try? ProcessHandle.open(pid) else {
            return nil
        }
        if let parent, ProcessStatus.of(pid)?.parentProcessID == parent.processID { return process }
        let bytes = (try? Syscall.readFile("/proc/\(pid)/environ")) ?? []
        let isMarked = bytes.split(separator: 0).contains { $0.elementsEqual(entry.utf8) }
        return isMarked ? process : nil
    }

    /// Waits for the first generation if it has ended, so that it is no zombie; nil: it runs.
    @discardableResult
    func reap() -> ExitStatus? {
        first.withLock { $0 }.flatMap { try? $0.reap() }
    }

    /// Ends every process; returns when all have ended, or after ten seconds.
    func killAll() {
        let deadline = Syscall.monotonicNanoseconds() + 10_000_000_000
        // A generation that drains starts another one in the place of one that was killed.
        while Syscall.monotonicNanoseconds() < deadline {
            let found = living()
            if found.isEmpty { break }
            for process in found { try? process.signal(Signals.kill) }
            for process in found { _ = process.waitForExit(deadline: deadline) }
        }
        reap()
    }
}

// MARK: - Waiting for a generation that serves

extension ServerProcesses {
    /// The generation that serves; nil: every process has ended, or the deadline has passed.
    ///
    /// Throws `cancelled`.
    func waitUntilServing(
        _ cancellation: Cancellation, until deadline: UInt64
    ) throws(TestUpgradeError) -> GenerationStatus? {
        let watch: DirectoryWatch
        do {
            // Before the first look.
            watch = try DirectoryWatch()
            _ = try watch.add(directory.runtime)
        } catch {
            throw .system("cannot watch \(directory.runtime)", error)
        }
        while true {
            _ = try? watch.events()
            do {
                // Without the link nobody serves, and one that starts need not be asked.
                if (try? Syscall.readLink(directory.runtime + "/serving")) != nil,
                    let service = try ServiceList.all(runtimeDirectory: directory.runtime).first
                {
                    let status = try ControlClient(service).servingStatus(timeout: .seconds(1))
                    if status.isServing { return status }
                }
            } catch {
                // Nobody listens: the generation to which the link points has ended, or ends.
            }
            let processes = living()
            let now = Syscall.monotonicNanoseconds()
            guard !processes.isEmpty, now < deadline else { return nil }
            // The link tells of a generation that begins to serve, a pidfd of one that has ended. Between a death and
            // the new link nothing tells who will serve: the status is asked for again.
            let next = min(deadline, now + 50_000_000)
            _ = try cancellation.wait(
                for: [watch.descriptor.rawValue]
                    + processes.compactMap { $0.descriptor?.rawValue },
                until: next)
        }
    }
}
