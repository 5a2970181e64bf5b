// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Root works in a site of somebody else, in which nothing stays what it was looked at as.
@Suite(
    .serialized,
    .enabled(if: ForeignSite.isPossible, "two users at once need root: run the tests as root"))
struct ForeignSiteRaceTests {
    /// For ten seconds everything in the site becomes a link and is itself again, thousands of times.
    ///
    /// A watch whose `.succession` is moved ends, and is started again; another is never disturbed so.
    @Test(arguments: [
        [".succession", "release", "current.conf", "app.bin"],
        ["release", "current.conf", "app.bin"],
    ])
    func watch_whileNamesBecomeLinks_changesNothingOutside(names: [String]) throws {
        let foreign = try ForeignSite()
        let (site, name) = (foreign.site, foreign.service.name)
        try foreign.write("current.conf", site.currentText("1.0"))
        try foreign.writeRecord()
        let targets = [
            ".succession": "state", "release": "release", "current.conf": "secret.conf",
            "app.bin": "victim.conf",
        ]
        for (name, target) in targets {
            try foreign.link(name + ".evil", to: "\(foreign.outside)/\(target)")
        }
        let server = try foreign.startServer("1.0")
        let before = try foreign.snapshot()
        var watch = try start(foreign)
        let swapper = try Swapper(site.directory, names)
        let end = Syscall.monotonicNanoseconds() + 10_000_000_000
        var rounds = 0
        while Syscall.monotonicNanoseconds() < end {
            rounds += 1
            try foreign.name(rounds % 2 == 0 ? "1.0" : "2.0")
            let verbs = [
                ["release", "add", Binaries.load, "--as", "app.\(rounds + 2).0"],
                ["release", "use", "1.0"], ["release", "prune", "--keep", "2"],
                ["rollback", name, "--to", "2.0"],
            ]
            for verb in verbs {
                _ = try foreign.service.swapctl(verb + ["--current", site.current])
            }
            // What it has written is read, so that it need not wait for that.
            _ = try? watch.line("no such line", within: 0.01)
            if !watch.handle.isAlive() { watch = try start(foreign) }
        }
        #expect(try swapper.stop() > 1_000)
        #expect(rounds > 0)
        try? watch.handle.signal(Signals.terminate)
        _ = try watch.waitForExit()
        #expect(try foreign.snapshot() == before)
        #expect(foreign.leaks() == [])
        withExtendedLifetime(server) {}
    }

    private func start(_ foreign: ForeignSite) throws -> ChildProcess {
        try foreign.service.startSwapctl([
            "watch", foreign.service.name, "--current", foreign.site.current, "--json",
            "--patience", "20ms",
        ])
    }
}
