// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem
package import SwapControl

/// A listener for a socket unit: the name by which the server asks for it, and its address.
package struct UnitListener: Sendable, Hashable {
    package let name: String
    package let endpoint: EndpointText

    /// Parses `NAME=ADDRESS`, or `ADDRESS` with the name of the service.
    package init(_ text: String, service: String) throws(ControlError) {
        var name = service
        var address = text[...]
        // A name contains no colon: unix:/run/a=b has no name.
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

    /// The setting in the socket unit.
    var line: (key: String, value: String) {
        let key =
            switch endpoint.kind.row.socketType {
            case .stream, nil: "ListenStream"
            case .datagram: "ListenDatagram"
            case .sequencedPacket: "ListenSequentialPacket"
            }
        let value =
            switch endpoint.address {
            case .ipv6(_, let port, _) where endpoint.isDualStack: "\(port)"
            case .vsock(.max, let port): "vsock::\(port)"
            default: "\(endpoint.address)"
            }
        return (key, UnitText.value(value))
    }

    /// The value of BindIPv6Only=; nil: the address is not the IPv6 wildcard.
    var ipv6Only: String? {
        guard case .ipv6(let bytes, _, _) = endpoint.address, bytes.allSatisfy({ $0 == 0 })
        else { return nil }
        return endpoint.isDualStack ? "both" : "ipv6-only"
    }

    /// Nil: the address is not an IP address.
    var port: UInt16? {
        switch endpoint.address {
        case .ipv4(_, let port), .ipv6(_, let port, _): port
        default: nil
        }
    }

    /// The path in the file system; nil: the address has none.
    var path: String? {
        if case .unixPath(let path) = endpoint.address { return path }
        return nil
    }

    /// The address families that a server needs to bind the listener itself.
    var family: String {
        switch endpoint.address {
        case .ipv4: "AF_INET"
        case .ipv6: endpoint.isDualStack ? "AF_INET AF_INET6" : "AF_INET6"
        case .vsock: "AF_VSOCK"
        case .unixPath, .unixAbstract, .unixUnnamed, .other: "AF_UNIX"
        }
    }
}
