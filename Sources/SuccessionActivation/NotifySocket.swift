// SPDX-License-Identifier: Apache-2.0

#if Systemd
import SuccessionSystem
import Synchronization
import SystemPackage

/// The way to the service manager: a socket that is connected to `NOTIFY_SOCKET` and stays open.
///
/// Not by sd_notify(3), which makes a socket for each message: a server whose clients have used up
/// all descriptors could no longer ping its watchdog, and would be killed for that.
final class NotifySocket: Sendable {
    /// As `NOTIFY_SOCKET` has it.
    let path: String
    private let connected = Mutex<OwnedDescriptor?>(nil)

    init(_ path: String) {
        self.path = path
    }

    /// Connects, if that has not been done; never waits.
    func prepare() throws(Errno) {
        _ = try open()
    }

    /// Sends one message; waits for as long as the manager has no room for it.
    ///
    /// The descriptors stay the caller's.
    func send(_ text: String, _ descriptors: [CInt]) throws(Errno) {
        let socket = try open()
        do throws(Errno) {
            try send(text, descriptors, over: socket)
        } catch {
            // The manager has made itself a new socket at the same place.
            switch error {
            case .connectionRefused, .connectionReset, .socketNotConnected: break
            default: throw error
            }
            connected.withLock { $0 = nil }
            try send(text, descriptors, over: open())
        }
    }

    private func send(
        _ text: String, _ descriptors: [CInt], over socket: OwnedDescriptor
    ) throws(Errno) {
        try socket.withRawValue { (number) throws(Errno) in
            try AncillaryMessage.send(Array(text.utf8), descriptors: descriptors, over: number)
        }
    }

    private func open() throws(Errno) -> OwnedDescriptor {
        try connected.withLock { connected -> Result<OwnedDescriptor, Errno> in
            Result { () throws(Errno) in
                if let connected { return connected }
                let socket = try DescriptorReserve.shared.sparing { () throws(Errno) in
                    try Syscall.openSocket(family: .unix, type: .datagram, nonBlocking: false)
                }
                try Syscall.connect(socket.rawValue, to: address)
                connected = socket
                return socket
            }
        }.get()
    }

    private var address: SocketAddress {
        // An abstract socket, as older managers and containers have it.
        path.hasPrefix("@") ? .unixAbstract(String(path.dropFirst())) : .unixPath(path)
    }

    /// Waits until the manager has acted upon everything before: it closes its end of a pipe.
    ///
    /// False if it has not within `milliseconds`.
    func barrier(within milliseconds: CInt) throws(Errno) -> Bool {
        let (read, write) = try DescriptorReserve.shared.sparing { () throws(Errno) in
            try Syscall.pipe(nonBlocking: true)
        }
        defer { DescriptorReserve.shared.fill() }
        try send("BARRIER=1", [write.rawValue])
        write.close()
        return try Syscall.poll(read.rawValue, events: 0, timeoutMilliseconds: milliseconds)
    }
}
#endif
