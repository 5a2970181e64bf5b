// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

/// What happens to an upgrade, and how it ends.
extension PredecessorDriver {
    func channelReadable(onlyRefusals: Bool = false) {
        while let channel {
            do throws(TransportError) {
                guard let packet = try channel.receive() else {
                    stopWatchingChannel()
                    handle(.endOfFile)
                    return
                }
                let message = packet.message
                host.step("received \(message.kindName)")
                if let said = try? Wire.Trouble(message) {
                    trouble = said.failure
                    continue
                }
                if onlyRefusals, message.kind != .abort, message.kind != .leaving {
                    continue
                }
                // Until it spoke, it was starting: what is measured from here is the hand-over.
                if message.kind == .hello { stepStartedAt = Syscall.monotonicNanoseconds() }
                handle(.received(ChannelMessage(message)))
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
        guard exit == nil, host.isChildOfManager else {
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
        guard host.hasForegroundParent else { return false }
        switch machine.state {
        case .succeeded, .relieved: return true
        default: return false
        }
    }

    private func tellEnd() {
        handle(exit?.isOfOwnAccord == true ? .successorLeft : .successorExited)
    }

    func stopWatchingChannel() {
        if let channel { ControlThread.unwatch(channel.descriptor.rawValue) }
    }

    func finish(_ failure: Failure?) {
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
        outcome.acceptGap = acceptGap
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

extension PredecessorDriver {
    /// What looks like another one's slowness may have been this process's own.
    private var standstillNote: String {
        let seconds = (ControlThread.standstill &- stoodStill) / 1_000_000_000
        return seconds == 0 ? "" : "; this process itself stood still for \(seconds) s meanwhile"
    }
}

extension ExitStatus {
    /// Whether a process that ends so has not failed: it was done, or told to go.
    fileprivate var isOfOwnAccord: Bool {
        switch self {
        case .exited(let status): status == 0
        case .signaled(let signal, _):
            [Signals.terminate, Signals.interrupt, Signals.hangUp].contains(signal)
        }
    }
}
