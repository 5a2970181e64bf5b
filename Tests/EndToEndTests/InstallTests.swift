// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// `make install` into a directory of its own, and a look at every file.
@Suite(.serialized) struct InstallTests {
    private static let source = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL.path

    @Test func install_whenPrefixIsGiven_putsEveryFileInItsPlace() throws {
        try withDirectory { directory in
            try Self.install(prefix: "/opt/swap", into: directory)
            let found = try Self.files(below: directory)
            let verbs = try Self.verbs()
            let documents =
                ["README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md"]
                + (try Self.files(below: Self.source + "/docs").filter { $0.hasSuffix(".md") })
            let units = try Self.files(below: Self.source + "/units")
            let expected =
                ["bin/swapctl", "lib/swift-succession/web"]
                + documents.map { "share/doc/swift-succession/" + Self.name($0) }
                + (try Self.files(below: Self.source + "/docs/schema").map {
                    "share/doc/swift-succession/schema/" + $0
                })
                + units.map { unit in
                    let manager = unit.hasPrefix("user/") ? "user" : "system"
                    return "lib/systemd/\(manager)/\(Self.name(unit))"
                }
                + (verbs.map { "share/man/man1/swapctl-\($0).1" })
                + [
                    "share/man/man1/swapctl.1", "share/bash-completion/completions/swapctl",
                    "share/zsh/site-functions/_swapctl",
                    "share/fish/vendor_completions.d/swapctl.fish",
                ]
            // Verbs of verbs have pages too.
            let plain = found.filter { !Self.isPageOfAVerbOfAVerb($0, verbs) }
            #expect(plain.sorted() == expected.map { "opt/swap/" + $0 }.sorted())
            for path in found where path.contains("/lib/systemd/") {
                let text = try String(contentsOfFile: "\(directory)/\(path)", encoding: .utf8)
                #expect(!text.contains("/usr/local"), "\(path)")
                if path.hasSuffix("web.service") {
                    #expect(text.contains("\nExecStart=/opt/swap/lib/swift-succession/web "))
                    #expect(text.contains("\nExecReload=/opt/swap/bin/swapctl upgrade "))
                }
            }
        }
    }

    /// The programs the units name are there then.
    @Test func units_whenInstalled_areVerified() throws {
        try withDirectory { directory in
            try Self.install(prefix: directory + "/usr", into: "")
            for manager in ["system", "user"] {
                let place = "\(directory)/usr/lib/systemd/\(manager)"
                let units = try Self.files(below: place).map { "\(place)/\($0)" }
                let process = try ChildProcess(
                    "/usr/bin/systemd-analyze",
                    (manager == "user" ? ["--user"] : []) + ["verify", "--man=no"] + units,
                    environment: ["XDG_RUNTIME_DIR": "/run"])
                try process.waitForExit()
                #expect(process.standardError == "")
                #expect(process.status == .exited(0))
            }
        }
    }

    @Test func pages_whenRendered_haveNoComplaintAndEveryOption() throws {
        try withDirectory { directory in
            try Self.install(prefix: "/usr", into: directory)
            let manual = directory + "/usr/share/man/man1"
            for page in try Self.files(below: manual) {
                let groff = try ChildProcess(
                    "/usr/bin/groff", ["-ww", "-man", "-Tutf8", "-P-cbou", "\(manual)/\(page)"])
                try groff.waitForExit()
                #expect(groff.standardError == "", "\(page)")
                #expect(groff.standardOutput.contains("SEE ALSO"))
                let words = page.dropLast(2).split(separator: "-").dropFirst().map(String.init)
                let rendered = groff.standardOutput.replacing("\u{2212}", with: "-")
                for option in try Self.output(["help"] + words).matches(of: /--[a-z][a-z-]+/) {
                    #expect(rendered.contains(option.output), "\(page): \(option.output)")
                }
            }
        }
    }

    @Test(arguments: [
        ("/bin/bash", "bash-completion/completions/swapctl"),
        ("/usr/bin/zsh", "zsh/site-functions/_swapctl"),
        ("/usr/bin/fish", "fish/vendor_completions.d/swapctl.fish"),
    ])
    func completions_whenRead_haveNoErrorAndKnowTheVerbs(shell: String, file: String) throws {
        try withDirectory { directory in
            try Self.install(prefix: "/usr", into: directory)
            let path = "\(directory)/usr/share/\(file)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            for verb in try Self.verbs() { #expect(text.contains(verb)) }
            guard FileManager.default.isExecutableFile(atPath: shell) else { return }
            let process = try ChildProcess(shell, ["-n", path])
            try process.waitForExit()
            #expect(process.standardError == "")
            #expect(process.status == .exited(0))
        }
    }

    // MARK: -

    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "succession-install-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private static func install(prefix: String, into destination: String) throws {
        let make = try ChildProcess(
            "/usr/bin/make",
            [
                "--silent", "-C", source, "install", "BIN=\(Binaries.directory)",
                "PREFIX=\(prefix)", "DESTDIR=\(destination)",
            ], environment: ["MAKEFLAGS": "", "MAKELEVEL": ""])
        try make.waitForExit()
        try #require(make.status == .exited(0), "\(make.standardError)")
    }

    private static func files(below directory: String) throws -> [String] {
        let all = try FileManager.default.subpathsOfDirectory(atPath: directory)
        return all.filter { path in
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: "\(directory)/\(path)", isDirectory: &isDirectory)
            return !isDirectory.boolValue
        }.sorted()
    }

    private static func name(_ path: String) -> String {
        URL(filePath: path).lastPathComponent
    }

    private static func output(_ arguments: [String]) throws -> String {
        let process = try ChildProcess(Binaries.swapctl, arguments)
        try process.waitForExit()
        try #require(process.status == .exited(0), "\(process.standardError)")
        return process.standardOutput
    }

    /// As the help shows them.
    private static func verbs() throws -> [String] {
        let help = try output(["--help"])
        let list = try #require(help.components(separatedBy: "SUBCOMMANDS:\n").last)
        let verbs = list.matches(of: #/(?m)^  ([a-z]+) /#).map { String($0.output.1) }
        try #require(verbs.contains("upgrade"))
        return verbs.filter { $0 != "help" }
    }

    private static func isPageOfAVerbOfAVerb(_ path: String, _ verbs: [String]) -> Bool {
        verbs.contains { name(path).hasPrefix("swapctl-\($0)-") }
    }
}
