// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Synchronization
import Testing

/// A site of another user, in which root works, and beside it what is root's alone.
final class ForeignSite {
    /// Two users at once need root.
    static let isPossible = ProcessEnvironment.effectiveUserID == 0

    /// `daemon`, or whatever it is called here.
    static let owner = UserRights(of: 1)
    static let secret = "no JSON, and nobody's business\n"

    let site: WatchedSite
    /// Files of root, none of which may change.
    let outside: String
    /// What the owner's program says of who runs it.
    let ran: String
    var service: TestService { site.service }

    init() throws {
        site = try WatchedSite()
        outside = try Syscall.realPath(site.service.directory) + "/outside"
        ran = site.service.directory + "/ran"
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try makeOutside()
        for (path, mode) in [(site.service.directory, 0o755), (site.service.runtime, 0o700)] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        try site.write(ran, "", mode: 0o666)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: ran)
        try give(site.directory)
        try give(site.service.runtime)
    }

    /// Things as they lie in a site, so that what goes astray finds something to change.
    private func makeOutside() throws {
        for directory in ["", "/state", "/release/.swapctl.999999999.x"] {
            try FileManager.default.createDirectory(
                atPath: outside + directory, withIntermediateDirectories: true)
        }
        let text = site.currentText("1.0")
        for name in ["victim.conf", "state/refused.conf", "state/spare.conf", "state/t.log"] {
            try site.write("\(outside)/\(name)", text)
        }
        try site.write(outside + "/secret.conf", Self.secret, mode: 0o600)
        for name in ["app.1.0", "app.9.0", ".swapctl.999999999.x/file"] {
            try site.write("\(outside)/release/\(name)", "#!/bin/sh\n", mode: 0o755)
        }
    }

    /// Has the owner of the site own a file, or a directory with all that is in it; links too.
    func give(_ path: String) throws {
        let names = FileManager.default.enumerator(atPath: path)?.allObjects ?? []
        for name in [""] + names.compactMap({ $0 as? String }) {
            let full = name.isEmpty ? path : path + "/" + name
            // What is linked here from the build is not to be given away.
            let isProgram = (full as NSString).lastPathComponent.hasPrefix("app.")
            if try isProgram && Syscall.linkStatus(full).isRegularFile { continue }
            try #require(lchown(full, Self.owner.userID, Self.owner.groupID) == 0, "\(full)")
        }
    }

    /// Writes a file of the owner.
    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let path = "\(site.directory)/\(name)"
        let directory = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try site.write(path, text, mode: mode)
        try give(directory)
    }

    /// Names a version in `current.conf`, as an editor of the owner does.
    func name(_ version: String) throws {
        let temporary = site.directory + "/current.conf~"
        try site.write(temporary, site.currentText(version))
        try #require(lchown(temporary, Self.owner.userID, Self.owner.groupID) == 0)
        try Syscall.rename(temporary, site.current)
    }

    /// Makes a link of the owner.
    func link(_ name: String, to target: String) throws {
        try Syscall.symbolicLink(to: target, at: "\(site.directory)/\(name)")
        try give(site.directory)
    }

    /// A program that tells who runs it, and is no server.
    func makeTeller() throws -> String {
        try write("tell", "#!/bin/sh\nid -u >> '\(ran)'\necho told\nexit 1\n", mode: 0o755)
        return site.directory + "/tell"
    }

    /// The users by whom the teller was run.
    func tellers() throws -> Set<String> {
        let text = try String(contentsOfFile: ran, encoding: .utf8)
        return Set(text.split(separator: "\n").map(String.init))
    }

    /// `.succession/serving` as the owner may write it.
    func writeRecord(
        command: [String] = [], text: String? = nil, link: (target: String, file: String)? = nil
    ) throws {
        var record: [String: Any] = [
            "id": "1-1-x", "verb": "upgrade", "service": service.name, "name": "app",
            "files": ["bin": site.release("app.1.0"), "cfg": site.release("cfg.1.0")],
            "current": text ?? site.currentText("1.0"), "command": command,
        ]
        if let link {
            record["link_target"] = link.target
            record["link_file"] = link.file
        }
        let data = try JSONSerialization.data(withJSONObject: record)
        try write(".succession/serving", String(decoding: data, as: UTF8.self))
    }

    /// Starts the server of a version as the owner of the site.
    func startServer(_ version: String) throws -> ChildProcess {
        for kind in ["bin": "app", "cfg": "cfg"] {
            try link("app.\(kind.key)", to: site.release("\(kind.value).\(version)"))
        }
        let server = try ChildProcess(
            site.directory + "/app.bin", site.options, environment: service.environment,
            user: Self.owner)
        try service.waitUntilServing()
        return server
    }

    /// Every path outside with what it is: kind, owner, permissions, inode, times, and content.
    func snapshot() throws -> [String: String] {
        var found: [String: String] = [:]
        let names = FileManager.default.enumerator(atPath: outside)?.allObjects ?? []
        for name in [""] + names.compactMap({ $0 as? String }) {
            let path = outside + "/" + name
            let facts = try Syscall.linkStatus(path)
            let content = facts.isRegularFile ? try Syscall.readFile(path) : []
            found[name] =
                "\(facts.userID):\(facts.groupID) \(String(facts.mode, radix: 8)) \(facts.inode) "
                + "\(facts.modifiedAtNanoseconds) \(content.hashValue) \(content.count)"
        }
        return found
    }

    /// Files of the site in which the secret is.
    func leaks() -> [String] {
        let names = FileManager.default.enumerator(atPath: site.directory)?.allObjects ?? []
        return names.compactMap { $0 as? String }.filter { name in
            let path = site.directory + "/" + name
            guard (try? Syscall.linkStatus(path))?.isRegularFile == true else { return false }
            return (try? String(contentsOfFile: path, encoding: .utf8)) == Self.secret
        }
    }
}

/// Exchanges names of a site with links that lead out of it, as its owner, and as fast as it can.
final class Swapper: Sendable {
    private let isOver = Atomic(false)
    private let ended = Mutex(false)
    private let count = Atomic(0)
    private let done: OwnedDescriptor

    /// `names` are exchanged with what has the same name and `.evil` behind it.
    init(_ directory: String, _ names: [String]) throws {
        let (read, write) = try Syscall.pipe(nonBlocking: false)
        done = read
        let names = names.map { "\(directory)/\($0)" }
        try startThread(name: "swapper") { [self] in
            defer { write.close() }
            // Of this thread alone, which ends with the test.
            guard (try? ForeignSite.owner.takeForFiles()) != nil else { return }
            while !isOver.load(ordering: .relaxed) {
                for name in names {
                    try? Syscall.exchange(name, name + ".evil")
                    try? Syscall.exchange(name, name + ".evil")
                    count.add(2, ordering: .relaxed)
                }
            }
        }
    }

    /// Ends it, and returns how often names were exchanged.
    func stop() throws -> Int {
        isOver.store(true, ordering: .relaxed)
        _ = try Syscall.read(done.rawValue, count: 1)
        return count.load(ordering: .relaxed)
    }
}
