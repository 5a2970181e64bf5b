// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwapControl
import SwapReleases
import Testing

/// A site in a temporary directory.
final class TestSite {
    let directory: String
    var site: ReleaseSite { get throws { try ReleaseSite.locate(current: directory) } }
    var current: String { directory + "/current.conf" }

    init() throws {
        directory = NSTemporaryDirectory() + "/site-\(UInt32.random(in: 0 ... .max))/app"
        try FileManager.default.createDirectory(
            atPath: directory + "/release", withIntermediateDirectories: true)
    }

    deinit {
        // A path that ends in `..` cannot be removed.
        let parent = (directory as NSString).deletingLastPathComponent
        do {
            try FileManager.default.removeItem(atPath: parent)
        } catch {
            Issue.record("\(parent) stays: \(error)")
        }
    }

    @discardableResult
    func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> String {
        let path = directory + "/" + name
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        return path
    }

    func program(_ version: String) throws {
        try write("release/app.\(version)", "#!/bin/sh\n# \(version)\n", mode: 0o755)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: directory + "/" + name, encoding: .utf8)
    }

    func link(_ name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: directory + "/" + name)
    }

    /// Every file except the state, with its content or its target.
    func snapshot() -> [String: String] {
        var found: [String: String] = [:]
        let names = FileManager.default.enumerator(atPath: directory)?.allObjects ?? []
        for case let name as String in names where !name.hasPrefix(".succession") {
            found[name] = (try? link(name)) ?? (try? read(name)) ?? "directory"
        }
        return found
    }
}

@Suite struct StoreTests {
    @Test func add_whenFile_isCopiedWithItsModeAndChecksum() throws {
        let test = try TestSite()
        let source = try test.write("../upload", "#!/bin/sh\n", mode: 0o755)
        let added = try ReleaseAddition.add(source, as: "app.1.0", to: test.site)
        #expect(try test.read("release/app.1.0") == "#!/bin/sh\n")
        #expect(FileManager.default.isExecutableFile(atPath: test.directory + "/release/app.1.0"))
        let sums = try test.read(".succession/SHA256SUMS")
        #expect(sums == "\(added.digest)  release/app.1.0\n")
        #expect(try run("cd \(test.directory) && sha256sum -c --quiet .succession/SHA256SUMS") == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: test.directory + "/release")
                == ["app.1.0"])
    }

    @Test func add_whenDirectory_isCopiedWithLinksAndListed() throws {
        let test = try TestSite()
        try test.write("../up/2.0/app", "program", mode: 0o755)
        try test.write("../up/2.0/lib/a", "a")
        try FileManager.default.createSymbolicLink(
            atPath: test.directory + "/../up/2.0/b", withDestinationPath: "lib/a")
        _ = try ReleaseAddition.add(test.directory + "/../up/2.0/", as: nil, to: test.site)
        #expect(try test.read("release/2.0/lib/a") == "a")
        #expect(try test.link("release/2.0/b") == "lib/a")
        #expect(try run("cd \(test.directory) && sha256sum -c --quiet .succession/SHA256SUMS") == 0)
        let list = try ReleaseList.read(test.site).releases
        #expect(list.map(\.name) == ["2.0"])
        #expect(list[0].isDirectory && list[0].checksum != nil)
    }

    @Test func add_whenNameIsTaken_sameIsNoErrorAndAnotherIs() throws {
        let test = try TestSite()
        let source = try test.write("../upload", "one")
        _ = try ReleaseAddition.add(source, as: "app.1.0", to: test.site)
        #expect(try ReleaseAddition.add(source, as: "app.1.0", to: test.site).isUnchanged)
        try test.write("../upload", "two")
        let before = test.snapshot()
        let error = #expect(throws: ControlError.self) {
            try ReleaseAddition.add(source, as: "app.1.0", to: try test.site)
        }
        #expect(error?.exitCode == .configuration)
        #expect(error?.message.contains("does not change") == true)
        #expect(test.snapshot() == before)
    }

    /// The release has no checksums, as after an addition that was interrupted before it wrote them.
    @Test(arguments: [false, true])
    func add_whenTheSameIsThereWithoutChecksum_recordsIt(isDirectory: Bool) throws {
        let test = try TestSite()
        let inside = isDirectory ? "/lib/a" : ""
        try test.write("../upload" + inside, "one")
        try test.write("release/1.0" + inside, "one")
        if isDirectory {
            try test.write("../upload/app", "program")
            try test.write("release/1.0/app", "program")
        }
        let source = test.directory + "/../upload"
        let added = try ReleaseAddition.add(source, as: "1.0", to: test.site)
        #expect(added.isUnchanged)
        #expect(try test.read(".succession/SHA256SUMS").contains("  release/1.0\(inside)\n"))
        #expect(try ReleaseList.read(test.site).releases.first?.checksum == added.digest)
        #expect(try run("cd \(test.directory) && sha256sum -c --quiet .succession/SHA256SUMS") == 0)
        try test.write("release/2.0" + inside, "two")
        #expect(throws: ControlError.self) {
            try ReleaseAddition.add(source, as: "2.0", to: try test.site)
        }
        #expect(try !test.read(".succession/SHA256SUMS").contains("release/2.0"))
    }

    /// A release never exists without its checksums.
    @Test func add_whenTheChecksumsCannotBeWritten_addsNothing() throws {
        let test = try TestSite()
        try test.write("upload", "one")
        try FileManager.default.createDirectory(
            atPath: test.directory + "/.succession/SHA256SUMS/x", withIntermediateDirectories: true)
        let before = test.snapshot()
        #expect(throws: ControlError.self) {
            try ReleaseAddition.add(test.directory + "/upload", as: "1.0", to: try test.site)
        }
        #expect(test.snapshot() == before)
    }

    @Test func add_whenChecksumIsAnother_addsNothing() throws {
        let test = try TestSite()
        let source = try test.write("../upload", "one")
        let error = #expect(throws: ControlError.self) {
            try ReleaseAddition.add(
                source, as: "app.1.0", to: try test.site,
                expected: String(repeating: "0", count: 64))
        }
        #expect(error?.exitCode == .configuration)
        #expect(test.snapshot() == ["release": "directory"])
    }

    @Test(arguments: ["", "missing", "fifo", "loop"])
    func add_whenSourceIsNoGood_saysSoAndAddsNothing(kind: String) throws {
        let test = try TestSite()
        let source = test.directory + "/../source"
        switch kind {
        case "": try test.write("../source", "")
        case "fifo": #expect(try run("mkfifo \(source)") == 0)
        case "loop": #expect(try run("ln -s source \(source)") == 0)
        default: break
        }
        let error = #expect(throws: ControlError.self) {
            try ReleaseAddition.add(source, as: "app.1.0", to: try test.site)
        }
        #expect(error?.exitCode == .configuration, "\(String(describing: error))")
        #expect(error?.message.contains("/source ") == true)
        #expect(test.snapshot() == ["release": "directory"])
    }

    @Test func use_whenFirst_writesCurrentAndLinks() throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("release/cfg.1.0", "x")
        _ = try ReleaseSelection.use(["app.1.0", "cfg.1.0"], in: test.site)
        #expect(
            try test.read("current.conf")
                == """
                {
                  "bin.file": "\(test.directory)/release/app.1.0",
                  "cfg.file": "\(test.directory)/release/cfg.1.0"
                }

                """.replacing(test.directory, with: try test.site.directory))
        #expect(try test.link("app.bin").hasSuffix("/release/app.1.0"))
        #expect(try test.link("app.cfg").hasSuffix("/release/cfg.1.0"))
    }

    @Test func use_whenVersionIsNamed_keepsEveryOtherByte() throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.program("1.10")
        try test.write("release/cfg.1.0", "x")
        try test.write("release/cfg.1.10", "x")
        let text = """
            { "note": "\\u00e9 , \\"bin.file\\" :",\t"workers" : [1,2],
              "cfg.file" :"\(test.directory)/release/cfg.1.0" ,
              "bin.file":   "\(test.directory)/release/app.1.0","z":{"bin.file":"kept"}}
            """
        try test.write("current.conf", text)
        _ = try ReleaseSelection.use(["1.10"], in: test.site)
        let real = try test.site.directory
        #expect(
            try test.read("current.conf")
                == text.replacing(
                    "\(test.directory)/release/cfg.1.0", with: "\(real)/release/cfg.1.10"
                )
                .replacing("\(test.directory)/release/app.1.0", with: "\(real)/release/app.1.10"))
    }

    @Test func use_whenKeyIsNew_isPutBehindTheLastWithItsIndentation() throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("release/tls.1", "x")
        try test.write(
            "current.conf",
            "{\n\t\"bin.file\": \"\(test.directory)/release/app.1.0\"\n}\n")
        _ = try ReleaseSelection.use(["tls=tls.1"], in: test.site)
        #expect(try test.read("current.conf").contains("app.1.0\",\n\t\"tls.file\": \""))
        #expect(try test.link("app.tls").hasSuffix("/release/tls.1"))
    }

    @Test func use_whenDirectoryOfARelease_movesItsFiles() throws {
        let test = try TestSite()
        for version in ["1.0", "2.0"] {
            try test.write("release/\(version)/bin/app", version, mode: 0o755)
            try test.write("release/\(version)/cfg", version)
        }
        _ = try ReleaseSelection.use(["bin=1.0/bin/app", "cfg=1.0/cfg"], in: test.site)
        _ = try ReleaseSelection.use(["2.0"], in: test.site)
        #expect(try test.read("app.bin") == "2.0")
        #expect(try test.read("app.cfg") == "2.0")
    }

    @Test(arguments: [
        ("{", "current.conf:1:2: a key"),
        ("[]", "must be an object, and is an array"),
        ("{}", "there is no key \"bin.file\""),
        (#"{"bin.file": 3}"#, "current.conf:1:14: \"bin.file\" is a number"),
        (#"{"bin.file": ""}"#, "\"bin.file\" is empty"),
        (
            "{\n  \"bin.file\": \"release/app.1.0\"}",
            "current.conf:2:15: \"bin.file\" is 'release/app.1.0', which is relative"
        ),
        (#"{"a/b.file": "/x", "bin.file": "/x"}"#, "\"a/b.file\" cannot be the name of a link"),
        (#"{"bin.file": "/x", "bin.file": "/y"}"#, "duplicate"),
    ])
    func use_whenCurrentIsNoGood_saysWhereAndChangesNothing(text: String, reason: String) throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("current.conf", text)
        let before = test.snapshot()
        let error = #expect(throws: ControlError.self) {
            try ReleaseSelection.use(["app.1.0"], in: try test.site)
        }
        #expect(error?.exitCode == .configuration)
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
        #expect(test.snapshot() == before)
    }

    @Test(arguments: [
        ("missing", "no release"), ("directory", "is a directory"), ("plain", "chmod +x"),
        ("empty", "is empty"), ("loop", "circle"), ("changed", "was changed after it was added"),
    ])
    func use_whenFileIsNoGood_saysWhyAndChangesNothing(kind: String, reason: String) throws {
        let test = try TestSite()
        try test.program("1.0")
        _ = try ReleaseSelection.use(["app.1.0"], in: test.site)
        var word = "app.2.0"
        switch kind {
        case "directory":
            try test.write("release/app.2.0/x", "x")
            word = "bin=app.2.0"
        case "plain": try test.write("release/app.2.0", "x")
        case "empty": try test.write("release/app.2.0", "", mode: 0o755)
        case "loop":
            #expect(try run("ln -s app.2.0 \(test.directory)/release/app.2.0") == 0)
            word = "bin=app.2.0"
        case "changed":
            let source = try test.write("../upload", "x", mode: 0o755)
            _ = try ReleaseAddition.add(source, as: "app.2.0", to: test.site)
            try test.write("release/app.2.0", "y", mode: 0o755)
        default: break
        }
        let before = test.snapshot()
        let error = #expect(throws: ControlError.self) {
            try ReleaseSelection.use([word], in: try test.site)
        }
        #expect(error?.exitCode == .configuration, "\(String(describing: error))")
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
        #expect(test.snapshot() == before)
    }

    @Test func use_whenLinksNameIsAFile_isNotReplaced() throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("app.bin", "somebody's program")
        let before = test.snapshot()
        let error = #expect(throws: ControlError.self) {
            try ReleaseSelection.use(["app.1.0"], in: try test.site)
        }
        #expect(error?.message.contains("app.bin is not a link") == true)
        #expect(test.snapshot() == before)
    }

    @Test func prune_keepsTheLastTheNamedAndThoseThatRun() throws {
        let test = try TestSite()
        for version in 1...9 { try test.program("1.\(version)") }
        try test.program("1.10")
        try FileManager.default.removeItem(atPath: test.directory + "/release/app.1.2")
        try FileManager.default.copyItem(
            atPath: "/bin/sleep", toPath: test.directory + "/release/app.1.2")
        _ = try ReleaseSelection.use(["app.1.4"], in: test.site)
        let running = Process()
        running.executableURL = URL(filePath: test.directory + "/release/app.1.2")
        running.arguments = ["60"]
        try running.run()
        // Not terminate(): the child may have inherited a blocked SIGTERM from the thread of the test.
        defer {
            kill(running.processIdentifier, SIGKILL)
            running.waitUntilExit()
        }
        let dry = try ReleasePruning.prune(test.site, keeping: 2, services: [], dryRun: true)
        #expect(try ReleaseList.read(test.site).releases.count == 10)
        let pruning = try ReleasePruning.prune(test.site, keeping: 2, services: [], dryRun: false)
        #expect(pruning.removed == dry.removed)
        #expect(
            try ReleaseList.read(test.site).releases.map(\.name)
                == ["app.1.2", "app.1.4", "app.1.9", "app.1.10"])
        #expect(pruning.kept.map(\.name) == ["app.1.2", "app.1.4"])
        #expect(pruning.kept[0].references == ["pid \(running.processIdentifier)"])
    }
}

/// Runs a shell command and returns its status.
func run(_ line: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", line]
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
}
