// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

/// The control socket under people who mean harm, or know no better.
@Suite(.serialized) struct ControlSocketTests {
    private func withService(
        _ body: (TestService, ChildProcess, RuntimeDirectory) throws -> Void
    ) throws {
        let service = try TestService()
        let server = try service.startFixture(["--listen", "echo=tcp:127.0.0.1:0"])
        // The runtime library opens descriptors of its own with the first work it is given.
        _ = try EchoClient(port: service.port("echo")).greet()
        let before = try DescriptorAudit(server.processID, withoutConnections: true)
        try body(service, server, RuntimeDirectory(path: service.runtime))
        #expect(
            try DescriptorAudit.settles(server.processID, to: before),
            "held before: \(before.kinds)")
    }

    private func exchange(
        _ packet: [UInt8], descriptors: [CInt] = [], _ directory: RuntimeDirectory
    ) throws -> Message? {
        let socket = try directory.connectServing()
        try AncillaryMessage.send(
            packet, descriptors: descriptors, over: socket.descriptor.rawValue)
        return try socket.receive(deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)?.message
    }

    @Test func garbage_isRefused() throws {
        try withService { _, _, directory in
            for seed in 0..<200 {
                let bytes = (0...(seed * 7 % 300)).map {
                    UInt8(truncatingIfNeeded: $0 &* seed &+ seed)
                }
                let reply = try exchange(bytes, directory)
                #expect(reply?.refusal != nil)
            }
        }
    }

    @Test func oversizedMessage_isRefused() throws {
        try withService { _, _, directory in
            let packet = Array("SUCCESSION/1 status\n".utf8) + [UInt8](repeating: 65, count: 80_000)
            let reply = try exchange(packet, directory)
            #expect(reply?.refusal?.code == .malformed)
        }
    }

    @Test func newerMajorVersion_isRefusedWithThatCode() throws {
        try withService { _, _, directory in
            let reply = try exchange(Array("SUCCESSION/9 status\n".utf8), directory)
            #expect(reply?.refusal?.code == .version)
        }
    }

    @Test func unknownKind_isRefusedAndTheConnectionGoesOn() throws {
        try withService { _, _, directory in
            let socket = try directory.connectServing()
            let deadline = Syscall.monotonicNanoseconds() + 5_000_000_000
            try socket.send(
                encoded: Array("SUCCESSION/1 frobnicate\n".utf8), descriptors: [])
            let answer = try socket.receive(deadline: deadline)?.message
            #expect(answer?.refusal?.code == .unknownKind)
            try socket.send(Wire.StatusRequest())
            let status = try #require(try socket.receive(deadline: deadline)?.message)
            #expect(try Wire.Status(status).state == .serving)
        }
    }

    @Test func upgrade_withAVariableThatSpeaksOfOneProcess_isRefused() throws {
        try withService { _, server, directory in
            let packet = "SUCCESSION/1 upgrade\nENV=A=1\nENV=SUCCESSION_CHANNEL=7\n"
            let reply = try exchange(Array(packet.utf8), directory)
            #expect(reply?.refusal?.code == .malformed)
            #expect(reply?.refusal?.reason.hasPrefix("ENV=SUCCESSION_CHANNEL") == true)
            #expect(server.handle.isAlive())
        }
    }

    @Test func unwantedDescriptors_areDroppedWithoutLeak() throws {
        try withService { _, _, directory in
            for _ in 0..<50 {
                let socket = try directory.connectServing()
                // A kernel with SO_PASSRIGHTS tells the sender; an older one delivers, and the
                // server closes them.
                try? AncillaryMessage.send(
                    Array("SUCCESSION/1 status\nFDS=3\n".utf8), descriptors: [0, 1, 2],
                    over: socket.descriptor.rawValue)
            }
        }
    }

    @Test func twoThousandConnections_doNotKeepAnOperatorOut() throws {
        try withService { service, _, directory in
            var held: [MessageSocket] = []
            for _ in 0..<30 { held.append(try directory.connectServing()) }
            #expect(try service.swapctl(["status", service.name]).status == .exited(0))
            held = []
            for _ in 0..<2_000 { _ = try directory.connectServing() }
            #expect(try service.swapctl(["status", service.name]).status == .exited(0))
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root to become another user"))
    func anotherUser_isRefused() throws {
        try withService { service, server, _ in
            // The directory alone keeps others out; open it, so that the server itself must say no.
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: service.directory)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: service.runtime)
            for entry in ["1.sock"] {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o666], ofItemAtPath: service.runtime + "/" + entry)
            }
            let script = """
                import os, socket
                os.setgid(65534); os.setuid(65534)
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.connect("\(service.runtime)/1.sock")
                s.settimeout(5)
                try: s.send(b"SUCCESSION/1 stop\\n")
                except BrokenPipeError: pass
                try: answer = s.recv(65536)
                except ConnectionResetError: answer = s.recv(65536)
                print(answer.decode())
                """
            let python = try ChildProcess("/usr/bin/env", ["python3", "-c", script])
            try python.waitForExit()
            #expect(
                python.standardOutput.contains("SUCCESSION/1 refused"), "\(python.standardError)")
            #expect(python.standardOutput.contains("CODE=permission"))
            #expect(server.handle.isAlive())
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o700], ofItemAtPath: service.runtime)
        }
    }
}
