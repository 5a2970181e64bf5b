// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// swapctl where /proc is not mounted.
@Suite(.serialized) struct NoProcTests {
    private static let noProc = Shut("--no-proc")

    @Test(.enabled(if: noProc.isPossible))
    func swapctl_withoutProc_doesWhatItIsTold() throws {
        let shut = try ShutService(Shut())
        try shut.start()
        shut.shutOperator = Self.noProc
        let status = try shut.swapctl(["status", shut.service.name])
        #expect(status.status == .exited(0), "\(status)")
        #expect(status.standardOutput.contains("\(shut.first)"), "\(status)")
        #expect(try shut.swapctl(["no-such-verb"]).status == .exited(64))

        // From the working directory, which nothing but getcwd(3) tells.
        let here = FileManager.default.currentDirectoryPath
        let upwards = String(repeating: "../", count: here.split(separator: "/").count)
        shut.program = upwards + Binaries.fixture.dropFirst()
        let run = try shut.upgrade()
        #expect(run.status == .exited(0), "\(run)")
        try shut.awaitEnd(shut.first)
        #expect(try EchoClient(port: shut.port).greet() == run.pid)

        let stop = try shut.swapctl(["stop", shut.service.name])
        #expect(stop.status == .exited(0), "\(stop)")
        #expect(shut.servers() == [])
    }

    /// As in another pid namespace: no process that writes a file is to be seen.
    @Test(.enabled(if: noProc.isPossible))
    func addition_underWay_isNotTakenForALeftover() throws {
        let site = try WatchedSite()
        let source = site.service.directory + "/big.1"
        try FileManager.default.createDirectory(
            atPath: source, withIntermediateDirectories: true)
        for number in 0..<3_000 { try site.write("\(source)/\(number)", "\(number)\n") }
        let other = site.service.directory + "/other.1"
        try site.write(other, "other\n")
        let add = ["release", "add", "--current", site.current]
        let watch = try DirectoryWatch()
        _ = try watch.add(Directory(site.directory + "/release"))
        let process = try site.service.startSwapctl(add + [source])
        try expectEvent(watch)
        let temporary = try #require(site.leftovers().first { $0.hasPrefix(".swapctl") })
        // The first file of the copy: the copy itself is locked by then.
        _ = try watch.add(Directory("\(site.directory)/release/\(temporary)"))
        try expectEvent(watch)
        try process.handle.signal(Signals.stop)
        let second = try ChildProcess(
            Binaries.sandbox,
            Self.noProc.placed(in: site.service.directory) + ["--", Binaries.swapctl] + add
                + [other], environment: site.service.environment)
        #expect(try second.waitForExit() == .exited(0), "\(second.standardError)")
        try process.handle.signal(Signals.proceed)
        #expect(try process.waitForExit() == .exited(0), "\(process.standardError)")
        let names = try FileManager.default.contentsOfDirectory(atPath: site.release("big.1"))
        #expect(names.count == 3_000)
        #expect(site.leftovers() == [])
    }

    private func expectEvent(_ watch: DirectoryWatch) throws {
        let hasEvent = try Syscall.poll(
            watch.descriptor.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 20_000)
        try #require(hasEvent)
        _ = try watch.events()
    }

    /// The command after -- is told apart from the releases by the words of the command line.
    @Test(.enabled(if: noProc.isPossible))
    func deploy_withoutProc_startsTheCommand() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        try site.name("1.0")
        let deploy = try ChildProcess(
            Binaries.sandbox,
            Self.noProc.placed(in: site.service.directory) + [
                "--", Binaries.swapctl, "deploy", site.service.name, "2.0", "--current",
                site.current, "--json", "--",
                site.directory + "/app.bin",
            ] + site.options, environment: site.service.environment)
        #expect(try deploy.waitForExit() == .exited(0), "\(deploy.standardOutput)")
        #expect(try site.link("app.bin") == site.release("app.2.0"))
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
    }
}
