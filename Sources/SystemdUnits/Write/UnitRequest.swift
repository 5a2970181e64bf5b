// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl

/// The parameters of the units of a service.
package struct UnitRequest: Sendable {
    /// Who opens the listeners.
    package enum Layout: Sendable {
        /// systemd opens them, by socket units.
        case activated
        /// The server binds them, and stores them with systemd.
        case binding
        /// systemd opens them, and instances of one template share them: start one, stop the other.
        case instances
    }

    package var service: String
    /// The absolute path of the server, and its arguments without `argv[0]`.
    package var executable: String
    package var arguments: [String] = []
    package var listeners: [UnitListener]
    package var layout = Layout.activated
    /// The units are for the manager of a user; else for the system manager.
    package var isForUserManager = false
    /// Whether the server connects to others.
    package var usesNetwork = false
    /// The user of the service; nil: a dynamic user.
    package var user: String?
    /// The watchdog time; nil: no watchdog.
    package var watchdog: Duration?
    /// How long an old generation may finish its connections.
    package var drain = Duration.seconds(30)
    /// How long a successor may take to become ready.
    package var timeout = Duration.seconds(60)
    /// The path of swapctl.
    package var swapctl: String

    package init(
        service: String, executable: String, listeners: [String], swapctl: String? = nil
    ) throws(ControlError) {
        guard UnitText.isUnitWord(service) else {
            throw .usage(
                "'\(service.terminalSafe)' cannot name a unit; write letters, digits and - _ . alone"
            )
        }
        self.service = service
        self.executable = executable
        var read: [UnitListener] = []
        for text in listeners { read.append(try UnitListener(text, service: service)) }
        self.listeners = read
        self.swapctl = swapctl ?? ProcessEnvironment.executablePath
    }

    /// The names of the listeners, each once, in the order given.
    var names: [String] {
        var names: [String] = []
        for listener in listeners where !names.contains(listener.name) {
            names.append(listener.name)
        }
        return names
    }

    /// Throws, with what to do, if a unit cannot express the request.
    package func check() throws(ControlError) {
        for (option, path) in [("--exec", executable), ("--swapctl", swapctl)]
        where !path.hasPrefix("/") {
            throw .usage("\(option) \(path.terminalSafe): a unit needs an absolute path")
        }
        if layout != .binding, listeners.isEmpty {
            throw .usage("a socket unit needs at least one --listen; or give --no-socket")
        }
        if let user, !UnitText.isUnitWord(user) {
            throw .usage("'\(user.terminalSafe)' cannot be the name of a user")
        }
        if isForUserManager, user != nil {
            throw .usage("--run-as: the manager of a user runs services as that user alone")
        }
        if let watchdog, watchdog < .milliseconds(1) {
            throw .usage("--watchdog: no time at all would end the server at once")
        }
        for listener in listeners { try check(listener) }
        for name in names {
            let families = Set(listeners.filter { $0.name == name }.compactMap(\.ipv6Only))
            if layout != .binding, families.count > 1 {
                throw .usage(
                    "'\(name)' has a socket for both families and one for IPv6 alone, and a socket "
                        + "unit says one thing for all its sockets (BindIPv6Only=): give one of "
                        + "them another name")
            }
        }
    }

    private func check(_ listener: UnitListener) throws(ControlError) {
        if layout != .binding, listener.port == 0 {
            throw .usage("a socket unit needs a port: port 0 is none")
        }
        guard let path = listener.path else { return }
        let shown = path.terminalSafe
        if path != shown || path.hasSuffix(" ") {
            throw .usage("unix:\(shown): a unit cannot hold this path")
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if parts.contains(where: { ["", ".", ".."].contains($0) }) {
            throw .usage("unix:\(shown): the service manager wants the path without //, . and ..")
        }
        if layout == .binding, !isForUserManager {
            throw .usage(
                "unix:\(shown): the server may write nowhere but in its runtime directory, which "
                    + "no client may enter; leave --no-socket out, and the service manager makes "
                    + "the socket")
        }
        if isInRuntimeDirectory(parts.map(String.init)) {
            throw .usage(
                "unix:\(shown) lies in RuntimeDirectory=\(service), which is emptied when the "
                    + "service stops, and the socket with it; give another place, such as "
                    + "unix:\(suggestion)")
        }
    }

    private var suggestion: String {
        isForUserManager ? "/run/user/UID/\(service).sock" : "/run/\(service).sock"
    }

    private func isInRuntimeDirectory(_ parts: [String]) -> Bool {
        var parts = parts[...]
        if parts.starts(with: ["var", "run"]) { parts = parts.dropFirst() }
        guard parts.popFirst() == "run" else { return false }
        if isForUserManager, parts.first == "user" { parts = parts.dropFirst(2) }
        if parts.first == "private" { parts = parts.dropFirst() }
        guard parts.count > 1, let first = parts.first else { return false }
        return layout == .instances ? first.hasPrefix(service + "-") : first == service
    }
}
