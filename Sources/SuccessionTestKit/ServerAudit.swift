// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// What the generation that serves holds, and which processes of the test there are.
public struct ServerAudit: Sendable, Hashable {
    /// The number of descriptors by kind: `socket`, `anon_inode:[eventpoll]`, a path.
    ///
    /// Connections are left out: they come and go with the clients.
    public let descriptors: [String: Int]
    /// The number of processes of the test that live, the one that serves among them.
    public let processes: Int

    /// Nil: the process has ended, or /proc does not show it.
    init?(_ processID: Int32, processes: Int) {
        let directory = "/proc/\(processID)/fd"
        guard let numbers = try? Syscall.listDirectory(directory) else { return nil }
        let connections = Self.connections()
        var descriptors: [String: Int] = [:]
        for number in numbers {
            guard let target = try? Syscall.readLink(directory + "/" + number),
                !connections.contains(target)
            else { continue }
            // Of a socket and of a pipe the number is another one each time.
            let kind =
                target.hasPrefix("anon_inode:")
                ? target : target.split(separator: ":[").first.map(String.init) ?? target
            descriptors[kind, default: 0] += 1
        }
        self.descriptors = descriptors
        self.processes = processes
    }

    /// What there is more of than before, a sentence each; empty if there is nothing.
    ///
    /// One timer more is not counted: the pool of Swift's concurrency makes it when it is busy for the first time.
    public func growth(since before: ServerAudit) -> [String] {
        var sentences: [String] = []
        for (kind, count) in descriptors.sorted(by: { $0.key < $1.key }) {
            var allowed = before.descriptors[kind, default: 0]
            if kind == "anon_inode:[timerfd]" { allowed = max(allowed, 1) }
            if count > allowed {
                sentences.append("\(count) descriptors of kind \(kind), \(allowed) before")
            }
        }
        if processes > before.processes {
            sentences.append("\(processes) processes, \(before.processes) before")
        }
        return sentences
    }

    /// The links of sockets that are connected over TCP, or over a Unix socket with a path.
    private static func connections() -> Set<String> {
        var links: Set<String> = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for fields in rows(of: table) where fields.count > 9 && fields[3] != "0A" {
                links.insert("socket:[\(fields[9])]")
            }
        }
        for fields in rows(of: "/proc/net/unix")
        where fields.count > 7 && ["0001", "0005"].contains(fields[4]) && fields[5] == "03" {
            links.insert("socket:[\(fields[6])]")
        }
        return links
    }

    private static func rows(of table: String) -> [[Substring]] {
        let text = String(decoding: (try? Syscall.readFile(table)) ?? [], as: UTF8.self)
        return text.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
    }
}

extension TestUpgrade {
    /// Looks at the generation that serves.
    ///
    /// Compare like with like: two generations that were both started by an upgrade hold the same. Throws `control` if
    /// nobody serves.
    public func audit() async throws(TestUpgradeError) -> ServerAudit {
        let serving = try await serving(control)
        processes.reap()
        guard
            let audit = ServerAudit(
                serving.process.processID, processes: processes.living().count)
        else {
            throw TestUpgradeError(.system, "/proc does not show \(serving.generation)")
        }
        return audit
    }

    /// Returns when the server holds no more than before, or after `limit`: what there is more of, a sentence each.
    ///
    /// A server learns of the end of a connection a little after its client. Throws as ``audit()`` does. Cancellation
    /// ends the wait, and throws `cancelled`.
    public func growth(
        since before: ServerAudit, within limit: Duration = .seconds(5)
    ) async throws(TestUpgradeError) -> [String] {
        let deadline = limit.fromNow
        while true {
            let growth = try await audit().growth(since: before)
            if growth.isEmpty || Syscall.monotonicNanoseconds() >= deadline { return growth }
            // Nothing tells that another process has closed a descriptor.
            try await onOwnThread { (cancellation) throws(TestUpgradeError) in
                _ = try cancellation.wait(
                    for: [], until: Syscall.monotonicNanoseconds() + 20_000_000)
            }
        }
    }
}
