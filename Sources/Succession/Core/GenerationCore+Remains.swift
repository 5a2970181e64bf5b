// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionSystem
import SuccessionTransport

/// What a predecessor that was killed has left in the runtime directory; nobody else will ever look.
extension GenerationCore {
    func removeRemainsOfPredecessor() {
        guard let handle = successorDriver.flatMap({ try? ProcessHandle.open($0.predecessor) })
        else {
            return removeRemains()
        }
        guard let pidfd = handle.descriptor else { return removeRemains(onceGone: handle) }
        // Its end of the channel may close before its control socket does: only the end of the
        // process says that both are.
        do {
            try ControlThread.watch(pidfd.rawValue) { [self] in
                ControlThread.unwatch(pidfd.rawValue)
                removeRemains()
            }
        } catch {
            removeRemains()
        }
    }

    private func removeRemains() {
        _ = directory.removeStale()
        directory.removeLeftovers()
    }

    /// On a kernel without pidfds nothing tells of the end of a process.
    private func removeRemains(onceGone handle: ProcessHandle, attempts: Int = 100) {
        guard handle.isAlive(), attempts > 0 else { return removeRemains() }
        _ = ControlThread.schedule(after: .milliseconds(100)) { [weak self] in
            self?.removeRemains(onceGone: handle, attempts: attempts - 1)
        }
    }
}
