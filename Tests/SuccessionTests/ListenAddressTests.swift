// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Succession

@Suite struct ListenAddressTests {
    @Test(arguments: [
        "tcp:127.0.0.1:8080", "tcp:[::1]:8080", "tcp:*:8080", "tcp:[::]:8080", "udp:0.0.0.0:53",
        "unix:/run/web.sock", "unix:@abstract", "unix-dgram:/run/log", "unix-seqpacket:/run/seq",
        "vsock:9000", "vsock:3:9000",
    ])
    func text_whenCanonical_roundTrips(text: String) throws {
        #expect("\(try ListenAddress(text))" == text)
    }

    @Test func text_withoutHost_isBothFamilies() throws {
        #expect(try ListenAddress("tcp:8080") == ListenAddress("tcp:*:8080"))
        #expect(try ListenAddress.tcp("::1", 80) == ListenAddress("tcp:[::1]:80"))
    }

    @Test(arguments: [
        "", "8080", "http:80", "tcp:", "tcp:99999", "tcp:localhost:80", "tcp:::1:80",
        "tcp:[1.2.3.4]:80",
        "unix:relative", "unix:", "unix:@", "vsock:a", "vsock:1:2:3", "other:x",
        "unix:/" + String(repeating: "x", count: 120),
    ])
    func text_whenWrong_isNamedInTheError(text: String) {
        #expect {
            try ListenAddress(text)
        } throws: { error in
            guard let error = error as? SuccessionError else { return false }
            return error.code == .invalidAddress && error.message.contains("'\(text)'")
        }
    }
}

extension ListenAddressTests {
    struct Parts: Sendable, CustomTestStringConvertible {
        let text: String
        var host: String?
        var port: UInt16?
        var path: String?
        var testDescription: String { text }
    }

    @Test(arguments: [
        Parts(text: "tcp:127.0.0.1:8080", host: "127.0.0.1", port: 8080),
        Parts(text: "tcp:[::1]:0", host: "::1", port: 0),
        Parts(text: "tcp:8080", host: "*", port: 8080),
        Parts(text: "tcp:[::]:8080", host: "::", port: 8080),
        Parts(text: "udp:0.0.0.0:53", host: "0.0.0.0", port: 53),
        Parts(text: "unix:/run/web.sock", path: "/run/web.sock"),
        Parts(text: "unix:@abstract", path: "@abstract"),
        Parts(text: "unix-dgram:/run/log", path: "/run/log"),
        Parts(text: "unix-seqpacket:@seq", path: "@seq"),
        Parts(text: "vsock:9000"),
        Parts(text: "vsock:3:9000"),
    ])
    func parts_ofEachKind_areTold(parts: Parts) throws {
        let address = try ListenAddress(parts.text)
        #expect(address.host == parts.host)
        #expect(address.port == parts.port)
        #expect(address.path == parts.path)
        if let host = address.host, let port = address.port, parts.text.hasPrefix("tcp:") {
            #expect(try ListenAddress.tcp(host, port) == address)
        }
        if let path = address.path, parts.text.hasPrefix("unix:") {
            #expect(try ListenAddress.unix(path) == address)
        }
    }
}
