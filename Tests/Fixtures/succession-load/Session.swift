// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What all workers of one run share.
final class Session: Sendable {
    private static let printedAtMost = 20

    let options: Options
    let started = MonotonicTime.now
    private let stopping = Atomic(false)
    private let printed = Atomic(0)
    private let announced = Mutex<Set<Int32>>([])

    init(options: Options) {
        self.options = options
    }

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// Asks every worker to finish the request it is at.
    func stop() {
        stopping.store(true, ordering: .relaxed)
    }

    /// Notes who answered; with `--announce`, the first answer of each is a line on standard error.
    func see(generation pid: Int32, at time: MonotonicTime, in tally: inout Tally) {
        if options.announce, tally.generations[pid] == nil,
            announced.withLock({ $0.insert(pid).inserted })
        {
            StandardError.print("generation \(pid) answers\n")
        }
        tally.see(generation: pid, at: time)
    }

    /// Prints a failure on standard error, the first twenty of a run.
    func report(_ kind: Kind, _ target: Target, _ failure: Failure) {
        let number = printed.wrappingAdd(1, ordering: .relaxed).newValue
        guard number <= Self.printedAtMost else { return }
        let time = Report.milliseconds(MonotonicTime.now - started)
        StandardError.print(
            "\(time) ms \(kind.rawValue) \(target.text): "
                + "\(failure.category.rawValue): \(failure.detail)\n")
        if number == Self.printedAtMost {
            StandardError.print("further failures are only counted\n")
        }
    }
}
