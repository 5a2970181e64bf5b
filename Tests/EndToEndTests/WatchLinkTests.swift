// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// `swapctl watch` where `current.conf` is a link, and what is changed lies behind it.
@Suite(.serialized) struct WatchLinkTests {
    /// It was the file that was changed, and not the link to it.
    @Test func change_ofTheFileALinkLeadsTo_whenRefused_isPutBackThere() throws {
        let site = try WatchedSite()
        for version in ["1.0", "2.0"] { try site.makeRelease(version) }
        let elsewhere = site.service.directory + "/elsewhere.conf"
        try site.write(elsewhere, site.currentText("1.0"))
        try Syscall.symbolicLink(to: "../elsewhere.conf", at: site.current)
        let server = try site.startServer("1.0")
        let watch = try site.startWatch()
        try site.write(elsewhere, "{\"bin.file\": \"/nowhere\"}")
        #expect(try watch.result()["result"] as? String == "refused")
        #expect(try Syscall.readLink(site.current) == "../elsewhere.conf")
        #expect(try String(contentsOfFile: elsewhere, encoding: .utf8) == site.currentText("1.0"))
        try site.expectAgreement("1.0", generation: 1)
        try site.write(elsewhere, site.currentText("2.0"))
        #expect(try watch.result()["result"] as? String == "committed")
        try site.expectAgreement("2.0", generation: 2)
        try server.waitForExit()
        let names = try FileManager.default.contentsOfDirectory(atPath: site.service.directory)
        #expect(names.filter { $0.hasPrefix(".swapctl") } == [])
    }

    /// `current.conf` itself stays as it is: a link further on is turned.
    @Test(arguments: ["../active.conf", "..data/current.conf"])
    func change_ofALinkOnTheWay_isUpgraded(target: String) throws {
        let site = try WatchedSite()
        let isDirectory = target.hasPrefix("..data")
        let place = isDirectory ? site.directory : site.service.directory
        let link = place + (isDirectory ? "/..data" : "/active.conf")
        func turn(_ version: String) throws {
            let made = "\(place)/..\(version)"
            if isDirectory {
                try FileManager.default.createDirectory(
                    atPath: made, withIntermediateDirectories: true)
            }
            try site.write(isDirectory ? made + "/current.conf" : made, site.currentText(version))
            try Syscall.symbolicLink(to: "..\(version)", at: place + "/new")
            try Syscall.rename(place + "/new", link)
        }
        for version in ["1.0", "2.0", "3.0"] { try site.makeRelease(version) }
        try turn("1.0")
        try Syscall.symbolicLink(to: target, at: site.current)
        _ = try site.startServer("1.0")
        let watch = try site.startWatch()
        for version in ["2.0", "3.0"] {
            try turn(version)
            #expect(try watch.result()["result"] as? String == "committed")
            try site.expectAgreement(version)
        }
        #expect(try Syscall.readLink(site.current) == target)
    }
}
