// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// What the replacement of a dead successor takes (docs/supervision.md).
extension GenerationCore {
    /// How this generation's own program is started.
    func rescuePlan() -> LaunchPlan {
        var plan = LaunchPlan()
        plan.executable = Self.runningProgram() ?? program.path
        plan.arguments = program.arguments
        plan.ownPath = program.path
        return plan
    }

    /// The file this process runs, whatever lies by now where it was started.
    private static func runningProgram() -> String? {
        let link = "/proc/self/exe"
        guard let running = try? Syscall.status(link), let path = try? Syscall.readLink(link) else {
            return nil
        }
        return (try? Syscall.status(path))?.identity == running.identity ? path : link
    }

    func takeLock() {
        preparedOffer = nil
        do {
            lock = try DescriptorReserve.shared.sparing { () throws(Errno) in
                try directory.takeLock()
            }
            handle(.lockTaken(lock == nil ? .held : .taken))
        } catch {
            handle(.lockTaken(.failed("\(error)")))
        }
    }

    /// `serving` no longer leads anywhere.
    func removeServing() {
        if directory.servingGeneration() == number + 1 {
            try? Syscall.unlink(directory.servingPath)
        }
        directory.removeIfStale(number + 1)
        directory.removeLeftovers()
    }
}
