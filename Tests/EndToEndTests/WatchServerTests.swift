// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import SystemPackage
import Testing

/// `swapctl watch` when the server dies that it watches.
@Suite(.serialized) struct WatchServerTests {
    @Test func server_whenItDies_isToldAndStartedByAUseOfTheSame() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let watch = try site.startWatch(command: [site.directory + "/app.bin"] + site.options)
        let pid = Int32(try #require(try site.service.servingStatus()["pid"] as? Int))
        try ProcessHandle.open(pid).signal(Signals.kill)
        let told = try watch.next(event: "note")["message"] as? String ?? ""
        #expect(told.contains("generation 1 (pid \(pid)) of \(site.service.name)"), "\(told)")
        #expect(told.contains("signal 9") && told.contains("`swapctl release use`"), "\(told)")
        let use = try site.service.swapctl([
            "release", "use", "app.1.0", "--current", site.current,
        ])
        #expect(use.status == .exited(0), "\(use)")
        #expect(use.standardOutput.contains("checks it again"), "\(use)")
        let result = try watch.result()
        #expect(result["verb"] as? String == "start", "\(result)")
        #expect(result["result"] as? String == "committed", "\(result)")
        #expect(try site.service.servingStatus()["pid"] as? Int != Int(pid))
        _ = try watch.stop()
    }

    /// Killed again and again: also one that a plain upgrade has put in its place.
    @Test func server_whenItDiesAndIsToBeStarted_isStartedAgain() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let watch = try site.startWatch(
            ["--start"], command: [site.directory + "/app.bin"] + site.options)
        for round in 0..<2 {
            if round == 1 {
                let run = try site.service.swapctl(["upgrade", site.service.name, "--json"])
                #expect(run.status == .exited(0), "\(run)")
                // When the watch has put this back, it has seen that another one serves.
                try site.write(site.current, "{")
                #expect(try watch.result()["result"] as? String == "refused")
            }
            let pid = Int32(try #require(try site.service.servingStatus()["pid"] as? Int))
            try ProcessHandle.open(pid).signal(Signals.kill)
            let told = try watch.next(event: "note")["message"] as? String ?? ""
            // How a process ended that is no child of the watch is not always known.
            #expect(round == 1 || told.contains("signal 9"), "\(told)")
            // At once, if what the watch has put back is inspected after the end: that is a change.
            let isAtOnce = round == 1 && told.hasSuffix("it is started again")
            #expect(isAtOnce || told.hasSuffix("it is started again in 0.50 s"), "\(told)")
            let result = try watch.result()
            #expect(result["verb"] as? String == "start", "\(result)")
            #expect(result["result"] as? String == "committed", "\(result)")
            #expect((result["why"] as? String)?.contains("pid \(pid)") == true, "\(result)")
        }
        _ = try watch.stop()
        #expect(try site.service.swapctl(["stop", site.service.name]).status == .exited(0))
    }

    @Test func start_whenNobodyKnowsHow_isWrongUsage() throws {
        let site = try WatchedSite()
        try site.makeRelease("1.0")
        try site.name("1.0")
        let run = try site.service.swapctl([
            "watch", site.service.name, "--start", "--current", site.current, "--json",
        ])
        #expect(run.status == .exited(64), "\(run)")
        #expect(run.reason.contains("after --"), "\(run)")
    }
}
