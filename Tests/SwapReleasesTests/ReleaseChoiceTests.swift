// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwapControl
import SwapReleases
import Testing

/// The key of a release that is named by its file or its version.
@Suite struct ReleaseChoiceTests {
    private func named(_ test: TestSite) throws -> [String: String] {
        let object = try JSONSerialization.jsonObject(with: Data(test.read("current.conf").utf8))
        return try #require(object as? [String: String]).mapValues {
            ($0 as NSString).lastPathComponent
        }
    }

    @Test(arguments: [
        "app.f00ba12", "app.deadbee", "app.v1.4", "app-f00ba12f00ba12", "app.beta", "app.1.0-rc1",
        "server-v2", "anything",
    ])
    func use_whenThereIsOneProgram_isThatProgram(release: String) throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("release/\(release)", "#!/bin/sh\n", mode: 0o755)
        _ = try ReleaseSelection.use(["app.1.0"], in: test.site)
        _ = try ReleaseSelection.use([release], in: test.site)
        #expect(try named(test) == ["bin.file": release])
        #expect(try test.link("app.bin").hasSuffix("/release/\(release)"))
        // And back, from a name without a known version.
        _ = try ReleaseSelection.use(["app.1.0"], in: test.site)
        #expect(try named(test) == ["bin.file": "app.1.0"])
    }

    @Test(arguments: [
        ("app.f00ba12", ["bin.file": "app.f00ba12", "cfg.file": "cfg.1.0"]),
        ("cfg.v2", ["bin.file": "app.1.0", "cfg.file": "cfg.v2"]),
        ("app.beta", ["bin.file": "app.beta", "cfg.file": "cfg.1.0"]),
        ("f00ba12", ["bin.file": "app.f00ba12", "cfg.file": "cfg.f00ba12"]),
        ("beta", ["bin.file": "app.beta", "cfg.file": "cfg.beta"]),
    ])
    func use_whenThereAreSeveralKeys_isTheOneOfItsName(
        word: String, expected: [String: String]
    ) throws {
        let test = try TestSite()
        for version in ["1.0", "f00ba12", "v2", "beta"] {
            try test.program(version)
            try test.write("release/cfg.\(version)", "x")
        }
        _ = try ReleaseSelection.use(["1.0"], in: test.site)
        _ = try ReleaseSelection.use([word], in: test.site)
        #expect(try named(test) == expected)
    }

    @Test func use_whenItsKeyCannotBeTold_asksForItAndChangesNothing() throws {
        let test = try TestSite()
        try test.program("1.0")
        try test.write("release/cfg.1.0", "x")
        try test.write("release/tls.1", "x")
        _ = try ReleaseSelection.use(["1.0"], in: test.site)
        let before = test.snapshot()
        let error = #expect(throws: ControlError.self) {
            try ReleaseSelection.use(["tls.1"], in: try test.site)
        }
        #expect(error?.exitCode == .usage)
        #expect(error?.message.contains("there are bin, cfg; write KEY=tls.1") == true, "\(error!)")
        #expect(test.snapshot() == before)
        _ = try ReleaseSelection.use(["tls=tls.1"], in: test.site)
        #expect(try named(test)["tls.file"] == "tls.1")
    }

    /// The first release of a site, in a directory of any name.
    @Test func firstUse_ofAVersion_namesAllItsFiles() throws {
        let test = try TestSite()
        try test.write("release/server.f00ba12", "#!/bin/sh\n", mode: 0o755)
        try test.write("release/cfg.f00ba12", "x")
        try test.write("release/cfg.1.0", "x")
        _ = try ReleaseSelection.use(["f00ba12"], in: test.site)
        #expect(
            try named(test) == ["bin.file": "server.f00ba12", "cfg.file": "cfg.f00ba12"])
    }

    @Test func firstUse_ofFilesOfWhichNoneIsTheProgram_asksWhich() throws {
        let test = try TestSite()
        try test.write("release/one.1", "x")
        try test.write("release/two.1", "x")
        let error = #expect(throws: ControlError.self) {
            try ReleaseSelection.use(["one.1", "two.1"], in: try test.site)
        }
        #expect(error?.message.contains("write bin=RELEASE") == true, "\(error!)")
        #expect(!FileManager.default.fileExists(atPath: test.current))
    }

    /// A missing directory must not be taken for a file in the directory above.
    @Test func site_whoseDirectoryIsMissing_isNotTheOneAbove() throws {
        let test = try TestSite()
        let path = test.directory + "/missing"
        let error = #expect(throws: ControlError.self) { try ReleaseSite.locate(current: path) }
        #expect(error?.exitCode == .usage)
        #expect(error?.message.contains("`mkdir -p \(path)`") == true, "\(error!)")
        #expect(throws: ControlError.self) {
            try ReleaseSite.locate(current: path + "/current.conf")
        }
        #expect(
            try ReleaseSite.locate(current: test.directory + "/other.conf").currentPath
                .hasSuffix("/app/other.conf"))
    }
}
