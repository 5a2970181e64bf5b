// SPDX-License-Identifier: Apache-2.0

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
        guard ProcessEnvironment.processID == 1, Foreground.isWanted(configuration),
            ProcessEnvironment.value("SUCCESSION_CHANNEL") == nil
        else { return }
        let directory = try GenerationBirth.locate(service, configuration)
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

/// Who waits for this process.
enum Foreground {
    /// Whether it matters.
    static func isWanted(_ configuration: GenerationConfiguration) -> Bool {
        configuration.foreground == .automatic
            && ProcessEnvironment.value(ForegroundParent.variable) != "off"
    }

    /// The pid of the foreground parent that started this line, as the environment has it.
    static var parent: Int32? {
        ProcessEnvironment.value(ForegroundParent.variable).flatMap { Int32($0) }
    }

    /// Why an upgrade would end the service; nil: it would not, as far as can be told.
    ///
    /// Only of the first of its line: whoever waits for it and nobody else has left with it.
    static func obstacle(
        to service: String, _ configuration: GenerationConfiguration, isFirst: Bool
    ) -> String? {
        guard isFirst, isWanted(configuration) else { return nil }
        if let parent, isAbove(parent) { return nil }
        return WaitingParent.current()?.refusal(of: service)
    }

    /// The variable may have come from a parent of something else.
    private static func isAbove(_ ancestor: Int32) -> Bool {
        var current = ProcessEnvironment.parentProcessID
        for _ in 0..<16 {
            if current == ancestor { return true }
            guard current > 1, let status = ProcessStatus.of(current) else { return false }
            current = status.parentProcessID
        }
        return false
    }
}
