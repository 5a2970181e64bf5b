// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwapControl
import SystemdUnits
import Testing

@Suite struct UnitTests {
    // MARK: - Sockets

    @Test(arguments: [
        ("tcp:8080", "ListenStream=8080\nBindIPv6Only=both\n"),
        ("tcp:[::]:8080", "ListenStream=[::]:8080\nBindIPv6Only=ipv6-only\n"),
        ("tcp:127.0.0.1:8080", "ListenStream=127.0.0.1:8080\n"),
        ("tcp:[::1]:8080", "ListenStream=[::1]:8080\n"),
        ("udp:53", "ListenDatagram=53\nBindIPv6Only=both\n"),
        ("unix:/run/a=b%.sock", "ListenStream=/run/a=b%%.sock\n"),
        ("unix:@web", "ListenStream=@web\n"),
        ("unix-dgram:/run/log", "ListenDatagram=/run/log\n"),
        ("unix-seqpacket:/run/seq", "ListenSequentialPacket=/run/seq\n"),
        ("vsock:9000", "ListenStream=vsock::9000\n"),
        ("vsock:3:9000", "ListenStream=vsock:3:9000\n"),
    ])
    func socket_whenAddress_holdsItsLine(address: String, lines: String) throws {
        let socket = try #require(try units(listen: ["x=" + address]).first)
        #expect(socket.name == "web.socket")
        #expect(socket.text.contains("\nFileDescriptorName=x\n\(lines)#"))
    }

    @Test func socket_whenNoNameIsGiven_hasThatOfTheService() throws {
        #expect(try units(listen: ["tcp:80"])[0].text.contains("\nFileDescriptorName=web\n"))
    }

    @Test func sockets_whenSeveralNames_areOneUnitEach() throws {
        let files = try units(listen: ["http=tcp:80", "log=unix-dgram:/run/l", "http=tcp:[::1]:81"])
        #expect(files.map(\.name) == ["web.socket", "web-log.socket", "web.service"])
        #expect(files[0].text.contains("\nListenStream=80\nListenStream=[::1]:81\n"))
        #expect(!files[0].text.contains("\nService="))
        #expect(files[1].text.contains("\nService=web.service\n"))
        #expect(files[2].text.contains("\nSockets=web.socket web-log.socket\n"))
        #expect(files[2].text.contains("\nRequires=web.socket web-log.socket\n"))
    }

    // MARK: - What a unit cannot express

    @Test(arguments: [
        ("unix:/run/web/a.sock", "RuntimeDirectory=web"),
        ("unix:/var/run/web/a.sock", "RuntimeDirectory=web"),
        ("unix:/run/private/web/a.sock", "RuntimeDirectory=web"),
        ("unix:/run//web.sock", "without //"),
        ("unix:/run/x/../web/a.sock", "without //"),
        ("unix:/run/a\nUser=root", "cannot hold this path"),
        ("tcp:0", "port 0"),
        ("tcp:localhost:80", "not a numeric address"),
        ("a b=tcp:80", "cannot name a listener"),
        ("../x=tcp:80", "cannot name a listener"),
        ("=tcp:80", "cannot name a listener"),
    ])
    func units_whenListenerCannotBeHeld_areRefused(listener: String, reason: String) {
        #expect { try units(listen: [listener]) } throws: { isUsage($0, reason) }
    }

    /// A file that cannot be written has another exit status than a service that does not run.
    @Test func write_whenTheDirectoryIsMissing_namesItAndIsAnInputOutputError() throws {
        let file = try #require(try units(listen: ["tcp:80"]).first)
        let error = #expect(throws: ControlError.self) {
            try file.write(to: "/nowhere/units", replacing: false)
        }
        #expect(error?.exitCode == .inputOutput)
        #expect(error?.message.contains("no directory /nowhere/units") == true)
        #expect(error?.message.contains("`mkdir -p /nowhere/units`") == true)
    }

    @Test func units_whenPathIsBesideTheRuntimeDirectory_areMade() throws {
        #expect(try units(listen: ["unix:/run/web.sock"]).count == 2)
        #expect(try units(listen: ["unix:/run/webber/web.sock"]).count == 2)
    }

    @Test func units_whenUsersManager_knowItsRuntimeDirectory() {
        #expect {
            try units(listen: ["unix:/run/user/1000/web/a.sock"]) { $0.isForUserManager = true }
        } throws: { isUsage($0, "RuntimeDirectory=web") }
        #expect(throws: Never.self) {
            try units(listen: ["unix:/run/user/1000/web/a.sock"])
        }
    }

    @Test func units_whenInstances_knowAllTheirRuntimeDirectories() {
        #expect { try units(listen: ["unix:/run/web-a/s"]) { $0.layout = .instances } } throws: {
            isUsage($0, "RuntimeDirectory=web")
        }
    }

    @Test func units_whenFamiliesAreMixedUnderOneName_areRefused() throws {
        let both = ["x=tcp:80", "x=tcp:[::]:81"]
        #expect { try units(listen: both) } throws: { isUsage($0, "BindIPv6Only=") }
        #expect(try units(listen: ["x=tcp:80", "y=tcp:[::]:81"]).count == 3)
    }

    @Test func units_whenServerBinds_refuseAPathNobodyCouldEnter() {
        #expect { try units(listen: ["unix:/run/w.sock"]) { $0.layout = .binding } } throws: {
            isUsage($0, "--no-socket")
        }
    }

    @Test(arguments: ["", "a/b", "a b", "web@", "-x", ".x", "web%i"])
    func units_whenServiceCannotNameAUnit_areRefused(name: String) {
        #expect { try UnitRequest(service: name, executable: "/w", listeners: []) } throws: {
            isUsage($0, "cannot name a unit")
        }
    }

    @Test func units_whenPathIsRelative_areRefused() {
        #expect { try units { $0.executable = "bin/web" } } throws: { isUsage($0, "absolute") }
    }

    // MARK: - The service

    @Test func service_whenWordsAreOdd_quotesThem() throws {
        let service = try #require(
            try units {
                $0.executable = "/srv/my web"
                $0.arguments = ["", "a\"b\\c", "100%", "%i", ";", "two\nlines", "'"]
            }.last)
        #expect(
            service.text.contains(
                #"ExecStart="/srv/my web" "" "a\"b\\c" 100%% %%i ";" "two\nlines" "'""# + "\n"))
    }

    @Test func service_whenAWordHasADollar_isNotExpanded() throws {
        let service = try #require(try units { $0.arguments = ["$HOME"] }.last)
        #expect(service.text.contains("\nExecStart=:/srv/web $HOME\n"))
    }

    @Test func service_whenInstances_keepsTheirName() throws {
        let files = try units {
            $0.layout = .instances
            $0.arguments = ["web-%i", "%h"]
        }
        #expect(files.map(\.name) == ["web-front.socket", "web@.service"])
        #expect(files[1].text.contains("\nExecStart=/srv/web web-%i %%h\n"))
        #expect(files[1].text.contains("\nExecReload=/bin/swapctl upgrade --detach web-%i\n"))
        #expect(files[1].text.contains("\nRuntimeDirectory=web-%i\n"))
    }

    @Test func service_whenTimesAreGiven_waitsLonger() throws {
        let service = try #require(
            try units {
                $0.drain = .milliseconds(90_500)
                $0.timeout = .seconds(5)
                $0.watchdog = .seconds(10)
            }.last)
        #expect(service.text.contains("\nTimeoutStopSec=106\n"))
        #expect(service.text.contains("\nTimeoutStartSec=20\n"))
        #expect(service.text.contains("\nWatchdogSec=10000ms\n"))
    }

    @Test func service_whenItBindsALowPort_mayDoSo() throws {
        let low = try units(listen: ["tcp:443"]) { $0.layout = .binding }
        #expect(low.map(\.name) == ["web.service"])
        #expect(low[0].text.contains("\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"))
        #expect(!low[0].text.contains("\nPrivateUsers=yes\n"))
        let high = try units(listen: ["tcp:1024"]) { $0.layout = .binding }
        #expect(!high[0].text.contains("CAP_NET_BIND_SERVICE"))
        #expect(high[0].text.contains("\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"))
    }

    @Test func service_whenActivated_hasNoNetworkUnlessAsked() throws {
        let service = try #require(try units().last)
        #expect(service.text.contains("\nPrivateNetwork=yes\n"))
        let outgoing = try #require(try units { $0.usesNetwork = true }.last)
        #expect(!outgoing.text.contains("PrivateNetwork"))
        #expect(outgoing.text.contains("\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"))
    }

    // MARK: - Files

    @Test func write_whenAnotherUnitIsThere_leavesItUnlessForced() throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "succession-units-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/web.service"
        let first = try #require(try units().last)
        #expect(try first.write(to: directory, replacing: false))
        #expect(try !first.write(to: directory, replacing: false))
        let second = try #require(try units { $0.watchdog = .seconds(1) }.last)
        #expect { try second.write(to: directory, replacing: false) } throws: {
            isUsage($0, "--force")
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == first.text)
        #expect(try second.write(to: directory, replacing: true))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == second.text)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o644)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["web.service"])
    }

    @Test(.enabled(if: SystemdAnalyze.isThere))
    func units_whenVerified_haveNoComplaint() throws {
        let listeners = [
            "http=tcp:8080", "six=tcp:[::]:8081", "log=unix-dgram:/run/log%d.sock",
            "seq=unix-seqpacket:/run/seq.sock", "abs=unix:@web", "dns=udp:127.0.0.1:5353",
            "vm=vsock:9000",
        ]
        let changes: [(inout UnitRequest) -> Void] = [
            { _ in }, { $0.layout = .instances }, { $0.isForUserManager = true },
            { $0.usesNetwork = true }, { $0.user = "daemon" }, { $0.watchdog = .seconds(10) },
            { $0.arguments = ["", "a\"b\\c", "100%", ";", "$HOME"] },
            {
                $0.layout = .binding; $0.listeners.removeSubrange(2...4)
            },
        ]
        for change in changes {
            let files = try units(listen: listeners) {
                $0.executable = "/bin/true"
                $0.swapctl = "/bin/true"
                change(&$0)
            }
            let complaint = try SystemdAnalyze.verify(files.map { ($0.name, $0.text) })
            #expect(complaint == "")
        }
    }

    // MARK: -

    private func units(
        listen: [String] = ["tcp:8080"], _ change: (inout UnitRequest) -> Void = { _ in }
    ) throws -> [UnitFile] {
        var request = try UnitRequest(
            service: "web", executable: "/srv/web", listeners: listen, swapctl: "/bin/swapctl")
        change(&request)
        return try UnitFile.all(request)
    }

    private func isUsage(_ error: any Error, _ part: String) -> Bool {
        guard let error = error as? ControlError else { return false }
        return error.exitCode == .usage && error.message.contains(part)
    }
}
