// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// What a service manager is told of a watch (sd_notify(3)), if there is one that wants to know.
package enum WatchNotice {
    case ready
    case leaving
    case status(String)

    /// Sends it in one datagram, and returns at once; that nobody hears it is no error.
    ///
    /// By hand, because libsystemd would be loaded for one line of text.
    package func send() {
        guard let path = ProcessEnvironment.value("NOTIFY_SOCKET"), path.count > 1 else { return }
        let address: SocketAddress
        switch path.first {
        case "/": address = .unixPath(path)
        case "@": address = .unixAbstract(String(path.dropFirst()))
        // A vsock address, of a manager outside of this machine.
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
        case .leaving: "STOPPING=1\n"
        case .status(let text):
            "STATUS=\(String(text.map { $0.isNewline ? " " : $0 }))\n"
        }
    }
}
