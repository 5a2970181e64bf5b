// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

extension WaitingParent {
    /// Looks at the processes above this one; nil also where /proc does not show them.
    static func current() -> WaitingParent? {
        WaitingParent(above: ancestors())
    }

    private static func ancestors() -> [Ancestor] {
        var ancestors: [Ancestor] = []
        var child = ProcessEnvironment.processID
        var parent = ProcessEnvironment.parentProcessID
        // Above 16 wrappers nobody waits for one program.
        while parent > 0, ancestors.count < 16, let status = ProcessStatus.of(parent) {
            let children = children(of: parent)
            ancestors.append(
                Ancestor(
                    processID: parent, name: status.name,
                    arguments: ProcessEnvironment.arguments(of: parent),
                    isOldestChildOurs: children.first?.pid == child,
                    // What a shell has started without a terminal is in its own group.
                    isOnlyChildOurs: !children.contains {
                        $0.pid != child && $0.group == status.processGroupID
                    }))
            // Nobody looks beyond one that waits for nothing.
            if parent == 1 || WaitingParent(above: ancestors + [.waitingInit]) == nil { break }
            child = parent
            parent = status.parentProcessID
        }
        return ancestors
    }

    /// Those that run, in the order in which they came to their parent.
    private static func children(of parent: Int32) -> [(pid: Int32, group: Int32)] {
        let listed = try? Syscall.readFile("/proc/\(parent)/task/\(parent)/children")
        let pids =
            listed.map { $0.split(separator: UInt8(ascii: " ")).compactMap(number) }
            ?? ((try? Syscall.listDirectory("/proc")) ?? []).compactMap { Int32($0) }.sorted()
        return pids.compactMap { pid in
            guard let status = ProcessStatus.of(pid), !status.hasEnded,
                status.parentProcessID == parent
            else { return nil }
            return (pid, status.processGroupID)
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int32? {
        Int32(String(decoding: digits, as: UTF8.self))
    }
}

extension WaitingParent.Ancestor {
    /// Stands for whatever may follow.
    fileprivate static let waitingInit = WaitingParent.Ancestor(
        processID: 1, name: "tini", arguments: [], isOldestChildOurs: true, isOnlyChildOurs: true)
}
