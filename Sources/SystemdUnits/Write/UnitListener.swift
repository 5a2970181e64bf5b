// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem
package import SwapControl

/// A listener as a socket unit holds it: the name the server asks for, and where it listens.
package struct UnitListener: Sendable, Hashable {
    package let name: String
    package let endpoint: EndpointText

    /// Reads `NAME=ADDRESS`, or `ADDRESS` with the name of the service.
    package init(_ text: String, service: String) throws(ControlError) {
        var name = service
        var address = text[...]
        // A name has no colon: in unix:/run/a=b there is none.
        if let sign = text.firstIndex(of: "="), !text[..<sign].contains(":") {
            name = String(text[..<sign])
            address = text[text.index(after: sign)...]
        }
        guard UnitText.isUnitWord(name) else {
            throw .usage(
                "--listen \(text.terminalSafe): '\(name.terminalSafe)' cannot name a listener; write letters, "
                    + "digits and - _ . alone")
        }
        self.name = name
        do {
            endpoint = try EndpointText(String(address))
        } catch {
            throw .usage("--listen \(error.message.terminalSafe)")
        }
    }

    /// The line of the socket unit.
    var line: (key: String, value: String) {
        let key =
            switch endpoint.kind {
            case .tcp, .unixStream, .vsock, .other: "ListenStream"
            case .udp, .unixDatagram: "ListenDatagram"
            case .unixSequencedPacket: "ListenSequentialPacket"
            }
        let value =
            switch endpoint.address {
            case .ipv6(_, let port, _) where endpoint.isDualStack: "\(port)"
            case .vsock(.max, let port): "vsock::\(port)"
            default: "\(endpoint.address)"
            }
        return (key, UnitText.value(value))
    }

    /// What the socket must say about the two families; nil where there is but one.
    var ipv6Only: String? {
        guard case .ipv6(let bytes, _, _) = endpoint.address, bytes.allSatisfy({ $0 == 0 })
        else { return nil }
        return endpoint.isDualStack ? "both" : "ipv6-only"
    }

    /// Nil for sockets in the file system.
    var port: UInt16? {
        switch endpoint.address {
        case .ipv4(_, let port), .ipv6(_, let port, _): port
        default: nil
        }
    }

    /// Nil for sockets that are not in the file system.
    var path: String? {
        if case .unixPath(let path) = endpoint.address { return path }
        return nil
    }

    /// The family a server must be allowed to use if it binds by itself.
    var family: String {
        switch endpoint.address {
        case .ipv4: "AF_INET"
        case .ipv6: endpoint.isDualStack ? "AF_INET AF_INET6" : "AF_INET6"
        case .vsock: "AF_VSOCK"
        case .unixPath, .unixAbstract, .unixUnnamed, .other: "AF_UNIX"
        }
    }
}
