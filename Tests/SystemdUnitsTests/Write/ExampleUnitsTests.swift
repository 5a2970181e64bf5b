// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwapControl
import SystemdUnits
import Testing

/// The files in units/ are what `swapctl units` prints; SUCCESSION_UPDATE_UNITS=1 writes them.
@Suite struct ExampleUnitsTests {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../units").standardizedFileURL.path

    /// By directory below units/.
    static func requests() throws -> [(String, UnitRequest)] {
        try [
            ("", request("web")),
            ("", request("web-notify") { $0.layout = .binding }),
            (
                "",
                request("web") {
                    $0.layout = .instances
                    $0.arguments[1] = "web-%i"
                }
            ),
            ("user/", request("web") { $0.isForUserManager = true }),
        ]
    }

    private static func request(
        _ service: String, _ change: (inout UnitRequest) -> Void = { _ in }
    ) throws -> UnitRequest {
        var request = try UnitRequest(
            service: service, executable: "/usr/local/lib/swift-succession/web",
            listeners: ["http=tcp:8080"], swapctl: "/usr/local/bin/swapctl")
        request.arguments = ["--service", service, "--http", "tcp:8080"]
        request.watchdog = .seconds(10)
        change(&request)
        return request
    }

    @Test func units_whenGeneratedAgain_areTheSame() throws {
        for (folder, request) in try Self.requests() {
            for file in try UnitFile.all(request) {
                let path = "\(Self.directory)/\(folder)\(file.name)"
                if ProcessInfo.processInfo.environment["SUCCESSION_UPDATE_UNITS"] == "1" {
                    try Data(file.text.utf8).write(to: URL(filePath: path))
                }
                let found = try String(contentsOfFile: path, encoding: .utf8)
                #expect(found == file.text, "\(path): SUCCESSION_UPDATE_UNITS=1 writes it")
            }
        }
    }

    @Test(.enabled(if: SystemdAnalyze.isThere))
    func units_whenVerified_haveNoComplaint() throws {
        for folder in ["", "user/"] {
            let units = try FileManager.default.contentsOfDirectory(
                atPath: Self.directory + "/\(folder)"
            )
            .filter { $0.contains(".") }
            .map {
                (
                    $0,
                    try String(contentsOfFile: "\(Self.directory)/\(folder)\($0)", encoding: .utf8)
                )
            }
            #expect(!units.isEmpty)
            // The programs need not be installed here.
            let runnable = units.map { name, text in
                (name, text.replacing(/\/usr\/local\/[a-z\/-]+/, with: "/bin/true"))
            }
            let complaint = try SystemdAnalyze.verify(runnable, isForUser: folder == "user/")
            #expect(complaint == "")
        }
    }

    @Test(.enabled(if: SystemdAnalyze.isThere), arguments: ["web.service", "web@.service"])
    func units_whenActivated_areExposedLittle(name: String) throws {
        let text = try String(contentsOfFile: "\(Self.directory)/\(name)", encoding: .utf8)
        // Tenths: 0.5 of 10.
        let complaint = try SystemdAnalyze.security((name, text), threshold: 5)
        #expect(complaint == nil)
    }

    @Test(.enabled(if: SystemdAnalyze.isThere))
    func security_whenServiceIsOpen_complains() throws {
        let open = ("open.service", "[Service]\nExecStart=/bin/true\n")
        #expect(try SystemdAnalyze.security(open, threshold: 5) != nil)
        #expect(
            try SystemdAnalyze.verify([("open.service", "[Service]\nExecStrat=/bin/true\n")]) != "")
    }
}
