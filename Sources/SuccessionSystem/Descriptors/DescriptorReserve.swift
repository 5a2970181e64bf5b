// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
package import SystemPackage

/// Keeps room in the table of descriptors for what must go on when clients have used it up:
/// operators, the service manager, the start of a successor.
///
/// There are two limits. What accepts connections leaves the last numbers of the table alone
/// (``hasRoom(probing:)``): the kernel always gives the lowest free number, so the number tells how
/// full the table is. And for the case that the application itself has used these up, some
/// descriptors are held open and closed when they are needed.
package final class DescriptorReserve: Sendable {
    /// The one of this process.
    package static let shared = DescriptorReserve()

    /// How many are held open: a successor takes ten, some of them for the moment of its start, and
    /// an operator one.
    package static let size = 12

    /// Spares lent out until ``end()`` is called.
    package final class Loan: Sendable {
        private let reserve: DescriptorReserve
        private let isOver = Atomic(false)

        fileprivate init(_ reserve: DescriptorReserve) {
            self.reserve = reserve
        }

        deinit { end() }

        /// The reserve takes back what is free; later calls do nothing.
        package func end() {
            if !isOver.exchange(true, ordering: .relaxed) { reserve.endLoan() }
        }
    }

    private struct State {
        /// Somebody has asked for a reserve.
        var isWanted = false
        var spares: [OwnedDescriptor] = []
        var loans = 0
    }

    private let state = Mutex(State())
    /// Once the table has been full it is looked at before each connection.
    private let isGuarded = Atomic(false)
    private let isLent = Atomic(false)

    package init() {}

    /// How many are held open now.
    package var count: Int { state.withLock { $0.spares.count } }

    /// Begins to keep a reserve.
    package func begin() {
        state.withLock { $0.isWanted = true }
        fill()
    }

    /// Puts aside what is missing, as far as there is room; none while a loan runs.
    package func fill() {
        state.withLock { state in
            guard state.isWanted, state.loans == 0, state.spares.count < Self.size else { return }
            do {
                // One open file, many numbers.
                if state.spares.isEmpty { state.spares.append(try Syscall.eventDescriptor()) }
                while state.spares.count < Self.size {
                    state.spares.append(try state.spares[0].duplicate())
                }
            } catch {
                // The next who closes something tries again.
            }
        }
    }

    // MARK: For those who accept connections

    /// Whether one more connection leaves enough for the process.
    ///
    /// `number` is any open descriptor, which is duplicated for a moment if the table was full
    /// before. `thoroughly`: also if it was not.
    package func hasRoom(probing number: CInt, thoroughly: Bool = false) -> Bool {
        if isLent.load(ordering: .relaxed) { return false }
        guard thoroughly || isGuarded.load(ordering: .relaxed) else { return true }
        do {
            guard took(try OwnedDescriptor.duplicating(number).rawValue) else { return false }
        } catch {
            // Another error is for the call itself to tell.
            guard error == .tooManyOpenFiles else { return true }
            ranOut()
            return false
        }
        fill()
        return true
    }

    /// To be called with the number that a connection got; false if it is one of the last.
    @discardableResult
    package func took(_ number: CInt) -> Bool {
        if Self.leavesRoom(number) { return true }
        isGuarded.store(true, ordering: .relaxed)
        return false
    }

    /// To be called when accept(2) fails with EMFILE.
    package func ranOut() {
        isGuarded.store(true, ordering: .relaxed)
    }

    private static func leavesRoom(_ number: CInt) -> Bool {
        let limit = ResourceLimit.openFiles()
        // A sixteenth, and no less than one accept loop takes before it looks.
        return Int(number) < limit - min(64, max(4, limit / 16))
    }

    // MARK: For those who must go on

    /// Makes room for a moment, if there is none; nobody accepts connections until the loan ends.
    ///
    /// Nil: there is room without it.
    package func lend() -> Loan? {
        let mustLend = state.withLock { state in
            if state.loans == 0, Self.canMake(Self.size, like: state.spares.first) { return false }
            state.loans += 1
            isLent.store(true, ordering: .relaxed)
            state.spares = []
            return true
        }
        return mustLend ? Loan(self) : nil
    }

    /// An event descriptor, at the cost of a spare if need be.
    package func eventDescriptor() throws(Errno) -> OwnedDescriptor {
        try sparing { () throws(Errno) in try Syscall.eventDescriptor() }
    }

    /// Calls `body`, which makes one descriptor, and again with a spare less each time that there
    /// is no number for it.
    package func sparing<Result>(
        _ body: () throws(Errno) -> Result
    ) throws(Errno) -> Result {
        while true {
            do throws(Errno) {
                return try body()
            } catch {
                guard error == .tooManyOpenFiles, giveOneUp() else { throw error }
            }
        }
    }

    private func giveOneUp() -> Bool {
        isGuarded.store(true, ordering: .relaxed)
        return state.withLock { $0.spares.popLast() != nil }
    }

    private func endLoan() {
        state.withLock { state in
            state.loans -= 1
            isLent.store(state.loans > 0, ordering: .relaxed)
        }
        fill()
    }

    private static func canMake(_ count: Int, like descriptor: OwnedDescriptor?) -> Bool {
        guard let descriptor else { return false }
        var made: [OwnedDescriptor] = []
        while made.count < count {
            guard let one = try? descriptor.duplicate() else { return false }
            made.append(one)
        }
        return true
    }
}
