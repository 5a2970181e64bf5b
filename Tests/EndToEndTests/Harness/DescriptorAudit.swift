// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem

/// What a process holds, read from /proc.
struct DescriptorAudit: Equatable {
    /// Number of descriptors by kind: `socket`, `anon_inode:[eventpoll]`, a path.
    let kinds: [String: Int]
    let threads: Int

    var count: Int { kinds.values.reduce(0, +) }

    /// How many are of kinds that are wanted.
    func count(where isWanted: (String) -> Bool) -> Int {
        kinds.reduce(0) { isWanted($1.key) ? $0 + $1.value : $0 }
    }

    /// - Parameter withoutConnections: leaves out sockets that are connected to a peer over a network or a Unix stream, which come
    ///   and go with the load.
    init(_ processID: Int32, withoutConnections: Bool = false) throws {
        let connected = withoutConnections ? try Self.connectedSockets() : []
        let directory = "/proc/\(processID)/fd"
        var kinds: [String: Int] = [:]
        for entry in try FileManager.default.contentsOfDirectory(atPath: directory) {
            guard
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: directory + "/" + entry)
            else { continue }
            if connected.contains(target) { continue }
            // Of sockets and pipes the number is another one each time.
            let kind =
                target.hasPrefix("anon_inode:")
                ? target : target.split(separator: ":[").first.map(String.init) ?? target
            kinds[kind, default: 0] += 1
        }
        self.kinds = kinds
        threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/task")
            .count
    }

    private init(kinds: [String: Int], threads: Int) {
        self.kinds = kinds
        self.threads = threads
    }

    /// The same with one timer: libdispatch makes it when its pool is busy for the first time.
    var withTimer: DescriptorAudit { with(oneOf: "anon_inode:[timerfd]") }

    /// The same with one process that is watched: its end may not be waited for yet.
    var withProcess: DescriptorAudit { with(oneOf: "anon_inode:[pidfd]") }

    private func with(oneOf kind: String) -> DescriptorAudit {
        DescriptorAudit(kinds: kinds.merging([kind: 1]) { max($0, $1) }, threads: threads)
    }

    /// Waits until a process holds no more than it held before, apart from connections; false if it
    /// does not come to that.
    ///
    /// A server learns of the end of a connection a little after its client, and `before` may have
    /// seen one that was about to go. `exactly`: what both hold is the same.
    static func settles(
        _ processID: Int32, to before: DescriptorAudit, exactly: Bool = false,
        within seconds: Double = 5
    ) throws -> Bool {
        func isSettled(_ now: DescriptorAudit) -> Bool {
            if exactly { return now.kinds == before.kinds }
            return now.kinds.allSatisfy { kind, count in
                before.kinds[kind, default: 0] >= count
            }
        }
        let now = try of(processID, within: seconds, until: isSettled)
        if isSettled(now) { return true }
        print("pid \(processID) held \(before.kinds) and holds \(now.kinds)")
        return false
    }

    /// Looks at a process until it holds what is wanted, apart from connections, or the time is over;
    /// returns the last look.
    ///
    /// Nothing tells that another process has closed a descriptor. The pause only limits how often is
    /// looked.
    static func of(
        _ processID: Int32, within seconds: Double = 5, until isWanted: (DescriptorAudit) -> Bool
    ) throws -> DescriptorAudit {
        let deadline = Syscall.monotonicNanoseconds() + UInt64(seconds * 1e9)
        while true {
            let now = try DescriptorAudit(processID, withoutConnections: true)
            if isWanted(now) || Syscall.monotonicNanoseconds() > deadline { return now }
            _ = try Syscall.poll([], timeoutMilliseconds: 5)
        }
    }

    /// The links of sockets that are accepted connections: TCP ones in a state other than
    /// listening, Unix ones that are connected and have a path.
    ///
    /// A channel is a pair without one.
    private static func connectedSockets() throws -> Set<String> {
        var links: Set<String> = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in try lines(of: table) {
                let fields = line.split(separator: " ")
                if fields.count > 9, fields[3] != "0A" { links.insert("socket:[\(fields[9])]") }
            }
        }
        for line in try lines(of: "/proc/net/unix") {
            let fields = line.split(separator: " ")
            if fields.count > 7, ["0001", "0005"].contains(fields[4]), fields[5] == "03" {
                links.insert("socket:[\(fields[6])]")
            }
        }
        return links
    }

    /// To the end: Foundation takes a file whose size is not known for one of a page.
    private static func lines(of table: String) throws -> [Substring] {
        let text = String(decoding: try Syscall.readFile(table), as: UTF8.self)
        return Array(text.split(separator: "\n").dropFirst())
    }

    /// Resident memory in KiB.
    static func residentKiB(_ processID: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        for line in text.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return Int(line.split(whereSeparator: \.isWhitespace)[1]) ?? 0
        }
        return 0
    }

    /// Processes whose command line contains `text`, with their states; a zombie has no command
    /// line and is found by its parent.
    static func processes(mentioning text: String) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap(Int32.init).filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return false
            }
            return String(decoding: data, as: UTF8.self).contains(text)
        }.sorted()
    }

    /// Children of a process that have ended and were not waited for.
    static func zombies(of parent: Int32) -> [Int32] {
        children(of: parent, inState: "Z")
    }

    /// Children of a process, all or those in one state.
    static func children(of parent: Int32, inState state: Substring? = nil) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap(Int32.init).filter { pid in
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { return false }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            return fields.count > 1 && fields[0] == state ?? fields[0] && Int32(fields[1]) == parent
        }
    }
}
