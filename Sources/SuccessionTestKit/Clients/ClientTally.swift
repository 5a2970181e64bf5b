// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization
import SystemPackage

/// What the clients of one group share: the order to stop, and what they have seen.
final class ClientTally: Sendable {
    private struct Wait {
        /// How many requests each client must have completed; a client that has ended counts as done.
        let targets: [Int]
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var report = ClientReport()
        var completed: [Int]
        var hasEnded: [Bool]
        var waits: [Wait] = []

        /// Takes out the waits that are over.
        mutating func takeDone() -> [CheckedContinuation<Void, Never>] {
            let (completed, hasEnded) = (completed, hasEnded)
            func isDone(_ wait: Wait) -> Bool {
                wait.targets.indices.allSatisfy {
                    hasEnded[$0] || completed[$0] >= wait.targets[$0]
                }
            }
            let done = waits.filter(isDone)
            if !done.isEmpty { waits.removeAll(where: isDone) }
            return done.map(\.continuation)
        }
    }

    private let state: Mutex<State>
    /// End-of-file is the order to stop.
    private let stopPipe: (read: OwnedDescriptor, write: OwnedDescriptor)
    private let started = Syscall.monotonicNanoseconds()
    private let phase: @Sendable () -> UpgradePhase?

    init(count: Int, phase: @escaping @Sendable () -> UpgradePhase?) throws(Errno) {
        self.phase = phase
        state = Mutex(
            State(
                completed: [Int](repeating: 0, count: count),
                hasEnded: [Bool](repeating: false, count: count)))
        stopPipe = try Syscall.pipe(nonBlocking: true)
    }

    var report: ClientReport { state.withLock { $0.report } }

    func stop() {
        stopPipe.write.close()
    }

    /// Waits until `due`, which paces the requests, or until the clients are to stop (true).
    func isStopping(until due: UInt64) -> Bool {
        let now = Syscall.monotonicNanoseconds()
        let left = due > now ? (due - now + 999_999) / 1_000_000 : 0
        let isStopping = try? Syscall.poll(
            stopPipe.read.rawValue, events: Syscall.pollIn, timeoutMilliseconds: CInt(left))
        return isStopping ?? true
    }

    func completed(_ client: Int, isFirstOfConnection: Bool) {
        change {
            $0.report.requests += 1
            if isFirstOfConnection { $0.report.connections += 1 }
            $0.completed[client] += 1
        }
    }

    func lost(_ client: Int, _ failure: ClientFailure) {
        let time = Syscall.monotonicNanoseconds() - started
        let loss = Loss(
            kind: failure.kind, message: failure.message,
            time: .nanoseconds(Int64(clamping: time)), phase: phase(), client: client)
        change {
            $0.report.requests += 1
            $0.report.lost.append(loss)
            $0.completed[client] += 1
        }
    }

    func ended(_ client: Int) {
        change { $0.hasEnded[client] = true }
    }

    /// Returns when each client has completed `count` more requests, or has ended.
    func next(_ count: Int) async {
        await wait { $0.map { $0 + count } }
    }

    /// Returns when every client has ended.
    func allEnded() async {
        await wait { $0.map { _ in .max } }
    }

    private func wait(_ targets: @Sendable ([Int]) -> [Int]) async {
        await withCheckedContinuation { continuation in
            change {
                $0.waits.append(
                    Wait(targets: targets($0.completed), continuation: continuation))
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let done = state.withLock { state in
            body(&state)
            return state.takeDone()
        }
        for continuation in done { continuation.resume() }
    }
}
