// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionSystem
import SuccessionTransport

/// Process 1 of a pid namespace: when it leaves, the kernel ends every process of the namespace.
///
/// So it does not serve. It starts this program once more, as a child, and stays its foreground
/// parent.
enum ProcessOne {
    /// Returns at once where this process may serve itself; as process 1 it does not return, unless
    /// the child cannot be started.
    static func standAside(
        for service: String, _ configuration: GenerationConfiguration
    ) throws(SuccessionError) {
        guard ProcessEnvironment.processID == 1, ForegroundPolicy.isWanted(configuration),
            ProcessEnvironment.value("SUCCESSION_CHANNEL") == nil
        else { return }
        let directory = try RuntimeDirectory.prepared(for: service, configuration)
        let own = OwnProgram.current()
        let parent = ForegroundParent(
            directory, child: SpawnRequest(path: own.path, arguments: own.arguments))
        do {
            ProcessExit.immediately(status: try parent.run())
        } catch {
            throw .system(
                "process 1 cannot start \(own.path) as its child, and may not serve itself: the container would end with its first upgrade (SUCCESSION_FOREGROUND=off serves all the same)",
                error)
        }
    }
}
