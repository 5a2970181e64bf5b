// SPDX-License-Identifier: Apache-2.0

/// A process that waits for this one alone, and takes its end for the service's.
///
/// An upgrade below such a parent would end what it began: the old generation leaves, the parent
/// after it, and with process 1 every process of the container.
package struct WaitingParent: Sendable, Hashable {
    /// What is known of one process above this one.
    package struct Ancestor: Sendable, Hashable {
        package var processID: Int32
        /// As the kernel calls it.
        package var name: String
        package var arguments: [String]
        /// Of its children the one that leads to this process was there first.
        package var isOldestChildOurs: Bool
        /// It has started no other process that runs; orphans it was given do not count.
        package var isOnlyChildOurs: Bool

        package init(
            processID: Int32, name: String, arguments: [String], isOldestChildOurs: Bool,
            isOnlyChildOurs: Bool
        ) {
            self.processID = processID
            self.name = name
            self.arguments = arguments
            self.isOldestChildOurs = isOldestChildOurs
            self.isOnlyChildOurs = isOnlyChildOurs
        }
    }

    package var processID: Int32
    package var name: String

    /// Process 1 of a container that starts one program and leaves when that does.
    private static let inits: Set<String> = [
        "tini", "docker-init", "dumb-init", "catatonit", "podman-init", "pid1", "my_init",
    ]
    /// Supervisors that start a process again when it has left, whatever runs in its place.
    private static let supervisors: Set<String> = [
        "runsv", "s6-supervise", "supervise", "supervisord", "perpd", "circusd", "nosh",
        "service-manager", "containerd-shim", "containerd-shim-runc-v2", "conmon",
    ]
    /// They wait for the program they have started, and leave with it.
    private static let wrappers: Set<String> = [
        "sudo", "su", "runuser", "timeout", "flock", "strace", "ltrace",
    ]
    private static let shells: Set<String> = [
        "sh", "ash", "bash", "dash", "ksh", "mksh", "zsh", "busybox",
    ]

    /// Looks from the parent of this process upwards; nil: nobody is known to wait for it alone.
    package init?(above ancestors: [Ancestor]) {
        for ancestor in ancestors {
            if Self.supervisors.contains(ancestor.program) {
                self.init(ancestor)
                return
            }
            if ancestor.processID == 1, Self.inits.contains(ancestor.name) {
                guard ancestor.isOldestChildOurs else { return nil }
                self.init(ancestor)
                return
            }
            guard ancestor.waitsForOneProgram else { return nil }
            if ancestor.processID == 1 {
                self.init(ancestor)
                return
            }
        }
        return nil
    }

    private init(_ ancestor: Ancestor) {
        processID = ancestor.processID
        name = ancestor.program
    }

    /// Why there is no upgrade, and what to do.
    package func refusal(of service: String) -> String {
        let consequence =
            processID == 1
            ? "process 1 (\(name)) waits for this process alone: the container would end with this generation"
            : "process \(processID) (\(name)) waits for this process alone, and would take its end for the service's"
        return consequence
            + "; start the server as 'swapctl supervise \(service) -- COMMAND', or as process 1 itself; SUCCESSION_FOREGROUND=off upgrades all the same"
    }
}

extension WaitingParent.Ancestor {
    /// Of an interpreter the script that it was given.
    fileprivate var program: String {
        guard name.hasPrefix("python") else { return name }
        let script = arguments.dropFirst().first { $0.contains("/") }
        return script?.split(separator: "/").last.map(String.init) ?? name
    }

    fileprivate var waitsForOneProgram: Bool {
        guard isOnlyChildOurs else { return false }
        if WaitingParent.isWrapper(name) { return true }
        return isShellWithAScript
    }

    /// One that a person types into goes on when a program ends; one that was given something to run
    /// leaves when that is over.
    private var isShellWithAScript: Bool {
        let program = arguments.first?.split(separator: "/").last.map(String.init) ?? name
        guard WaitingParent.isShell(program) || WaitingParent.isShell(name) else { return false }
        let words = arguments.dropFirst()
        if words.contains("-i") { return false }
        return words.contains { word in
            // -c, -ec, -lc; or the name of a file.
            !word.hasPrefix("-") || !word.hasPrefix("--") && word.dropFirst().contains("c")
        }
    }
}

extension WaitingParent {
    fileprivate static func isWrapper(_ name: String) -> Bool { wrappers.contains(name) }
    fileprivate static func isShell(_ name: String) -> Bool {
        shells.contains(name.hasPrefix("-") ? String(name.dropFirst()) : name)
    }
}
