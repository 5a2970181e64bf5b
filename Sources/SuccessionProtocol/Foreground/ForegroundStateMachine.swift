// SPDX-License-Identifier: Apache-2.0

/// What a foreground parent does: it hands on the signals it gets, and leaves with the status of the
/// last generation.
///
/// Events in, actions out, no I/O.
package struct ForegroundStateMachine: Sendable, Hashable {
    /// The generations that answer now.
    package struct Line: Sendable, Hashable {
        /// Pids by the number of the generation.
        package var living: [Int: Int32]
        /// The number of the one that serves.
        package var serving: Int?

        package init(living: [Int: Int32], serving: Int?) {
            self.living = living
            self.serving = serving
        }
    }

    package enum Event: Sendable, Hashable {
        /// - Parameter groupKnows: the terminal has told every process of the group.
        case signal(Int32, groupKnows: Bool)
        /// A child, or an orphan below this process, with its status as a shell tells it.
        case ended(Int32, status: Int32)
        case found(Line)
        /// A generation is no process any more, and its end was told to another one.
        case vanished(Int32)
        /// Everything that has happened has been told: what was found is the whole of it.
        case allHeard
        /// The answer to ``Action/askForLock``: whether anybody holds the lock of the service.
        case locked(Bool)
        /// There is nobody left to wait for.
        case childless
    }

    package enum Action: Sendable, Hashable {
        case forward(Int32, to: [Int32])
        /// Only when no generation answers any more: to take the lock is to keep out who begins.
        case askForLock
        case leave(status: Int32)
    }

    /// They mean the service; every other signal means the generation that serves.
    private static let forAll: Set<Int32> = [2 /* SIGINT */, 3 /* SIGQUIT */, 15 /* SIGTERM */]

    private let first: Int32
    private var firstLives = true
    private var line = Line(living: [:], serving: nil)
    /// Every generation that was seen and whose end was not; the first child is one before it
    /// answers.
    private var numbers: [Int32: Int]
    private var lastNumber = -1
    private var lastStatus: Int32 = 0
    private var hasLeft = false

    package init(first: Int32) {
        self.first = first
        numbers = [first: 0]
    }

    package mutating func handle(_ event: Event) -> [Action] {
        // A parent that has left does nothing more.
        if hasLeft { return [] }
        switch event {
        case .signal(let number, let groupKnows):
            return groupKnows ? [] : forward(number)
        case .ended(let pid, let status):
            ended(pid, status)
            return []
        case .found(let line):
            self.line = line
            for (number, pid) in line.living { numbers[pid] = number }
            return []
        case .allHeard:
            return isOver ? [.askForLock] : []
        case .vanished(let pid):
            if pid != first { numbers.removeValue(forKey: pid) }
            return []
        case .locked(let isLocked):
            // A successor that has taken everything, and does not answer yet.
            return isLocked || !isOver ? [] : leave()
        case .childless:
            return leave()
        }
    }

    /// The generations that were seen, and of whose end nothing was heard.
    package var known: [Int32] { Array(numbers.keys) }

    /// One that does not answer may be about to end: its status is to come.
    private var isOver: Bool { numbers.isEmpty && line.living.isEmpty }

    private func forward(_ number: Int32) -> [Action] {
        var targets: Set<Int32>
        if Self.forAll.contains(number) {
            targets = Set(line.living.values)
            if firstLives { targets.insert(first) }
        } else {
            let serving = line.serving.flatMap { line.living[$0] }
            let newest = line.living.max { $0.key < $1.key }?.value
            targets = [serving ?? (firstLives ? first : nil) ?? newest].reduce(into: []) {
                if let pid = $1 { $0.insert(pid) }
            }
        }
        targets = targets.filter { numbers[$0] != nil }
        return targets.isEmpty ? [] : [.forward(number, to: targets.sorted())]
    }

    private mutating func ended(_ pid: Int32, _ status: Int32) {
        if pid == first { firstLives = false }
        // Anybody else is an orphan whose status is nobody's.
        guard let number = numbers.removeValue(forKey: pid) else { return }
        if number >= lastNumber { (lastNumber, lastStatus) = (number, status) }
        line.living = line.living.filter { $0.value != pid }
    }

    private mutating func leave() -> [Action] {
        hasLeft = true
        return [.leave(status: lastStatus)]
    }
}
