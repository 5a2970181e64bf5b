// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// What cannot be served is refused with file, line and key, and nothing has changed.
@Suite(.serialized) struct ReleaseInputTests {
    private func started() throws -> (WatchedSite, ChildProcess, WatchProcess) {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let server = try site.startServer("1.0")
        return (site, server, try site.startWatch())
    }

    /// Prepares what is wrong with the file at `path`, and says how the error names it.
    private func prepare(_ kind: String, _ path: String, _ site: WatchedSite) throws -> String {
        switch kind {
        case "missing": return "\(path) does not exist"
        case "directory":
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            return "\(path) is a directory"
        case "not executable":
            try site.write(path, "x")
            return "\(path) is not executable; run `chmod +x \(path)`"
        case "empty":
            try site.write(path, "", mode: 0o755)
            return "\(path) is empty"
        case "link loop":
            try Syscall.symbolicLink(to: "app.2.0", at: path)
            return "links lead in a circle"
        case "dangling link":
            try Syscall.symbolicLink(to: "nowhere", at: path)
            return "is a link that leads nowhere"
        case "below a file":
            try site.write(site.release("file"), "x")
            return "\(path) cannot be reached: a part of the path is not a directory"
        default:
            try site.write(path, "one", mode: 0o755)
            let upload = site.service.directory + "/upload"
            try site.write(upload, "two", mode: 0o755)
            let run = try site.service.swapctl([
                "release", "add", upload, "--as", "app.2.1", "--current", site.current,
            ])
            #expect(run.status == .exited(0), "\(run)")
            try FileManager.default.removeItem(atPath: path)
            try Syscall.rename(site.release("app.2.1"), path)
            let sums = site.directory + "/.succession/SHA256SUMS"
            let text = try String(contentsOfFile: sums, encoding: .utf8)
            try site.write(sums, text.replacing("app.2.1", with: "app.2.0"))
            try site.write(path, "three", mode: 0o755)
            return "was changed after it was added"
        }
    }

    @Test(arguments: [
        "missing", "directory", "not executable", "empty", "link loop", "dangling link",
        "below a file", "changed",
    ])
    func file_thatCannotBeServed_isRefusedAndNothingChanges(kind: String) throws {
        let (site, server, watch) = try started()
        let path = site.release(kind == "below a file" ? "file/app.2.0" : "app.2.0")
        let reason = try prepare(kind, path, site)
        try site.write(
            site.current,
            "{\n \"cfg.file\": \"\(site.release("cfg.1.0"))\",\n"
                + " \"bin.file\": \"\(path)\"}\n")
        let result = try watch.result()
        #expect(result["result"] as? String == "refused", "\(result)")
        let told = result["reason"] as? String ?? ""
        #expect(told.contains("\(site.current):3:14: \"bin.file\": "), "\(told)")
        #expect(told.contains(reason), "\(told)")
        #expect(try watch.stop().isEmpty)
        try site.expectAgreement("1.0", generation: 1)
        #expect(try site.service.servingStatus()["pid"] as? Int == Int(server.processID))
        let last = try #require(try site.history().last)
        #expect(last["result"] as? String == "refused")
        #expect(last["reason"] as? String == told)
    }

    @Test(arguments: [
        ("{\"bin.file\": 1}", ":1:14: \"bin.file\" is a number"),
        ("{\"cfg.file\": \"/x\"}", ":1: there is no key \"bin.file\""),
        ("{\"bin.file\": \"release/app.1.0\"}", "which is relative"),
        ("{\"bin.file\": \"~nobody/app\"}", "which is relative"),
        (
            "{\"bin.file\": \"/a\",\n\"bin.file\": \"/b\"}",
            ":2:1: the key \"bin.file\" is a duplicate"
        ),
        ("[]", "must be an object"),
        ("{\"bin.file\": \"/a\" \"x\": 1}", ":1:19: a comma or }"),
    ])
    func text_thatCannotBeRead_isRefusedWithItsPlace(text: String, reason: String) throws {
        let (site, _, watch) = try started()
        try site.write(site.current, text)
        let told = try watch.result()["reason"] as? String ?? ""
        #expect(told.contains(site.current) && told.contains(reason), "\(told)")
        try site.expectAgreement("1.0", generation: 1)
        let run = try site.service.swapctl([
            "release", "use", "app.1.0", "--current", site.current, "--json",
        ])
        #expect(run.status == .exited(0), "\(run)")
    }

    @Test(arguments: ["directory", "loop"])
    func current_thatIsADirectoryOrALoop_isToldAndLeftAlone(kind: String) throws {
        let (site, _, watch) = try started()
        // In one step: that it is gone for a moment is another thing to tell.
        let new = site.directory + "/new"
        if kind == "directory" {
            try FileManager.default.createDirectory(
                atPath: new + "/x", withIntermediateDirectories: true)
        } else {
            try Syscall.symbolicLink(to: "current.conf", at: new)
        }
        try Syscall.exchange(new, site.current)
        let told = try watch.next(event: "note")["message"] as? String ?? ""
        let reason = kind == "directory" ? " is a directory" : ": its links lead in a circle"
        #expect(told.contains(site.current + reason), "\(told)")
        _ = try watch.stop()
        if kind == "directory" {
            #expect(FileManager.default.fileExists(atPath: site.current + "/x"))
        } else {
            #expect(try Syscall.readLink(site.current) == "current.conf")
        }
        #expect(try site.link("app.bin") == site.release("app.1.0"))
    }

    /// The new release serves then, and nobody is told that the old one does.
    @Test func rollback_whenItsCommitCannotBeWritten_isInDoubtAndRecoveredFrom() throws {
        let (site, server, watch) = try started()
        try site.makeRelease("2.0")
        #expect(try watch.stop().isEmpty)
        let serving = site.directory + "/.succession/serving"
        let run = try site.service.swapctl([
            "rollback", site.service.name, "--to", "2.0", "--current", site.current, "--json",
            "--check", "mv '\(serving)' '\(serving).old'; mkdir -p '\(serving)/x'",
        ])
        #expect(run.status == .exited(3), "\(run)")
        let result = try #require(run.objects.last)
        #expect(result["result"] as? String == "unknown", "\(result)")
        #expect(result["exit_code"] as? Int == 3, "\(result)")
        let reason = result["reason"] as? String ?? ""
        #expect(reason.contains(serving) && !reason.contains("nothing was changed"), "\(reason)")
        try server.waitForExit()
        try FileManager.default.removeItem(atPath: serving)
        try Syscall.rename(serving + ".old", serving)
        _ = try site.startWatch().stop()
        try site.expectAgreement("2.0", generation: 2)
    }

    // MARK: - File systems

    /// Runs a script in a mount namespace of its own, with a small file system at `path`.
    private func inNamespace(
        _ site: WatchedSite, _ mount: String, _ script: String
    ) throws -> SwapctlRun {
        let process = try ChildProcess(
            "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "/bin/sh", "-ec", mount + "\n" + script],
            environment: site.service.environment.merging(
                ["SWAPCTL": Binaries.swapctl, "CURRENT": site.current, "SITE": site.directory]
            ) { $1 })
        let status = try process.waitForExit()
        return SwapctlRun(
            status: status, standardOutput: process.standardOutput,
            standardError: process.standardError)
    }

    private static let canMount = geteuid() == 0

    @Test(.enabled(if: canMount))
    func disk_thatIsFull_addsNothingAndNamesNothing() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let run = try inNamespace(
            site, "mount -t tmpfs -o size=256k,mode=755 tmpfs \"$SITE\"",
            """
            mkdir "$SITE/release"
            printf '#!/bin/sh\\n' > "$SITE/release/app.1.0"; chmod +x "$SITE/release/app.1.0"
            cp "$SITE/release/app.1.0" "$SITE/release/app.2.0"
            "$SWAPCTL" release use app.1.0 --current "$CURRENT" > /dev/null
            before=$(cat "$CURRENT"; ls -l "$SITE/app.bin")
            set +e
            head -c 400000 /dev/zero > /tmp/big.$$
            "$SWAPCTL" release add /tmp/big.$$ --as app.3.0 --current "$CURRENT" --json; echo "status $?"
            rm /tmp/big.$$
            dd if=/dev/zero of="$SITE/filler" bs=1k count=1000 2> /dev/null
            "$SWAPCTL" release use app.2.0 --current "$CURRENT" --json; echo "status $?"
            test "$before" = "$(cat "$CURRENT"; ls -l "$SITE/app.bin")" && echo same
            ls -A "$SITE/release" "$SITE" | grep swapctl && echo leftover
            exit 0
            """)
        #expect(run.status == .exited(0), "\(run)")
        let lines = run.standardOutput.split(separator: "\n")
        #expect(lines.filter { $0 == "status 74" }.count == 2, "\(run)")
        #expect(lines.last == "same", "\(run)")
        #expect(run.objects.allSatisfy { $0["code"] as? String == "full" }, "\(run)")
        #expect(
            run.objects.allSatisfy {
                ($0["message"] as? String)?.contains("swapctl release prune") == true
            }, "\(run)")
    }

    @Test(.enabled(if: canMount))
    func directory_thatIsReadOnly_isToldAndNothingChanges() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.makeRelease("2.0")
        try site.name("1.0")
        let server = try site.startServer("1.0")
        _ = try site.startWatch().stop()
        let run = try inNamespace(
            site, "mount --bind \"$SITE\" \"$SITE\"; mount -o remount,bind,ro \"$SITE\"",
            """
            set +e
            "$SWAPCTL" release add /bin/true --as app.3.0 --current "$CURRENT" --json; echo "status $?"
            "$SWAPCTL" release use app.2.0 --current "$CURRENT" --json; echo "status $?"
            "$SWAPCTL" release prune --current "$CURRENT" --json; echo "status $?"
            "$SWAPCTL" rollback \(site.service.name) --to 2.0 --current "$CURRENT" --json; echo "status $?"
            "$SWAPCTL" watch \(site.service.name) --current "$CURRENT" --json; echo "status $?"
            exit 0
            """)
        #expect(run.status == .exited(0), "\(run)")
        let lines = run.standardOutput.split(separator: "\n")
        #expect(lines.filter { $0 == "status 74" }.count == 5, "\(run)")
        #expect(run.objects.allSatisfy { $0["code"] as? String == "read-only" }, "\(run)")
        try site.expectAgreement("1.0", generation: 1)
        withExtendedLifetime(server) {}
    }

    /// The disk fills up while a watch has a switch under way.
    @Test(.enabled(if: canMount))
    func watch_whenTheDiskIsFull_refusesAndServesOn() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        let run = try inNamespace(
            site, "mount -t tmpfs -o size=64m,mode=755 tmpfs \"$SITE\"",
            """
            set +e
            mkdir "$SITE/release"
            cp "$FIXTURE" "$SITE/release/app.1.0" || exit 9
            ln "$SITE/release/app.1.0" "$SITE/release/app.2.0"
            "$SWAPCTL" release use app.1.0 --current "$CURRENT" > /dev/null
            mkfifo "$SITE/out"
            "$SWAPCTL" watch \(site.service.name) --current "$CURRENT" --json \\
                -- "$SITE/app.bin" \(site.options.joined(separator: " ")) > "$SITE/out" &
            exec 5< "$SITE/out"
            while read -r line <&5; do case $line in *watching*) break;; esac; done
            printf '{"bin.file": "%s/release/app.2.0"}' "$SITE" > "$SITE/next"
            ln "$CURRENT" "$SITE/kept"
            dd if=/dev/zero of="$SITE/filler" bs=64k 2> /dev/null
            dd if=/dev/zero of="$SITE/rest" bs=4k 2> /dev/null
            mv "$SITE/next" "$CURRENT"
            while read -r line <&5; do case $line in *'"event":"result"'*) break;; esac; done
            echo "$line"
            grep -c release/app.1.0 "$CURRENT"
            readlink "$SITE/app.bin"
            "$SWAPCTL" stop \(site.service.name) > /dev/null
            kill $!
            wait $!
            exit 0
            """.replacing("$FIXTURE", with: Binaries.fixture))
        #expect(run.status == .exited(0), "\(run)")
        let result = try #require(run.objects.first)
        #expect(result["result"] as? String == "refused", "\(run)")
        #expect((result["reason"] as? String)?.contains("No space left") == true, "\(run)")
        #expect(run.standardOutput.hasSuffix("\n1\n\(site.release("app.1.0"))\n"), "\(run)")
    }
}
