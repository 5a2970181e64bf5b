// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// A notification about the watch for the service manager (sd_notify(3)).
package enum WatchNotification {
    case ready
    case stopping
    case status(String)

    /// Sends one datagram to `NOTIFY_SOCKET` without waiting; a missing manager is not an error.
    ///
    /// Written by hand: libsystemd would have to be loaded for one line of text.
    package func send() {
        guard let path = ProcessEnvironment.value("NOTIFY_SOCKET"), path.count > 1 else { return }
        let address: SocketAddress
        switch path.first {
        case "/": address = .unixPath(path)
        case "@": address = .unixAbstract(String(path.dropFirst()))
        // A vsock address: the manager of a virtual machine's host.
        default: return
        }
        guard
            let socket = try? Syscall.openSocket(family: .unix, type: .datagram, nonBlocking: true)
        else { return }
        try? Syscall.connect(socket.rawValue, to: address)
        try? Syscall.writeAll(socket.rawValue, Array(text.utf8))
        withExtendedLifetime(socket) {}
    }

    private var text: String {
        switch self {
        case .ready: "READY=1\nSTATUS=Watching\n"
        case .stopping: "STOPPING=1\n"
        case .status(let text):
            "STATUS=\(String(text.map { $0.isNewline ? " " : $0 }))\n"
        }
    }
}
