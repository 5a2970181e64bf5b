// SPDX-License-Identifier: Apache-2.0

/// Where a process lies in the tree of control groups, as /proc/PID/cgroup shows it.
///
/// There is no `==`: resources may be controlled in other hierarchies, between whose groups processes
/// move without a unit's being another (see ``isOfSameUnit(as:)``).
package struct ControlGroup: Sendable {
    /// One line for each hierarchy.
    private let text: String

    /// Nil: there is no such process, it is hidden, or /proc is not mounted.
    package static func of(_ pid: Int32) -> ControlGroup? {
        read("/proc/\(pid)/cgroup")
    }

    /// That of this process.
    package static func own() -> ControlGroup? {
        read("/proc/self/cgroup")
    }

    private static func read(_ path: String) -> ControlGroup? {
        (try? Syscall.readFile(path)).map {
            ControlGroup(text: String(decoding: $0, as: UTF8.self))
        }
    }

    package init(text: String) {
        self.text = text
    }

    /// The systemd unit it belongs to, and whether a user's manager runs that; nil if it is none.
    package var unit: (name: String, isOfUser: Bool)? {
        for path in paths {
            let names = path.split(separator: "/").map {
                // A name that would clash with a file of the kernel gets an underscore in front.
                $0.hasPrefix("_") ? String($0.dropFirst()) : String($0)
            }
            guard let last = names.lastIndex(where: { $0.hasSuffix(".service") }) else { continue }
            let isOfUser = names[..<last].contains {
                $0.hasPrefix("user@") && $0.hasSuffix(".service")
            }
            return (names[last], isOfUser)
        }
        return nil
    }

    /// Whether both lie in the same groups of systemd's own hierarchies; of all hierarchies where none
    /// is systemd's.
    package func isOfSameUnit(as other: ControlGroup) -> Bool {
        let own = paths
        return own.isEmpty ? text == other.text : own == other.paths
    }

    /// Where the manager has put it: `/system.slice/web.service`; nil if no hierarchy is systemd's.
    package var path: String? {
        paths.first { $0 != "/" }.map(String.init) ?? paths.last.map(String.init)
    }

    /// Hierarchies are numbered; systemd's own is 0, or has a name where there are several.
    private var paths: [Substring] {
        text.split(separator: "\n").reversed().compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            let isSystemds =
                fields.count == 3 && (fields[1] == "name=systemd" || fields[..<2] == ["0", ""])
            return isSystemds ? fields[2] : nil
        }
    }
}
