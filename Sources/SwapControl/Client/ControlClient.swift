// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// Connects to the control sockets of one service.
package struct ControlClient: Sendable {
    package let service: Service
    /// Ends every wait of this client from outside; nil: nothing does.
    let interruption: Interruption?

    package init(_ service: Service, interruption: Interruption? = nil) {
        self.service = service
        self.interruption = interruption
    }

    /// Finds the control socket of one generation.
    func find(_ generation: Int) throws(ControlError) -> ControlSocket {
        do {
            return try service.directory.find(generation)
        } catch {
            try service.checkDirectory()
            if error == .noSuchFileOrDirectory {
                throw .noSuchService(
                    "no generation \(generation) of \(service.name): \(found()) "
                        + "in \(service.directory.path)")
            }
            throw explain(error, generation: generation)
        }
    }

    /// Connects to a control socket that was found.
    func connect(_ socket: ControlSocket) throws(ControlError) -> ControlConnection {
        do {
            return ControlConnection(
                try socket.connect(), who: "generation \(socket.generation) of \(service.name)",
                interruption: interruption)
        } catch {
            try service.checkDirectory()
            throw explain(error, generation: socket.generation, owner: socket.owner)
        }
    }

    /// Connects to one generation.
    func connect(_ generation: Int) throws(ControlError) -> ControlConnection {
        try connect(find(generation))
    }

    /// Finds the control socket to which `serving` points.
    ///
    /// Throws `no-such-service` if there is none.
    func findServing() throws(ControlError) -> ControlSocket {
        do {
            return try service.directory.findServing()
        } catch {
            try service.checkDirectory()
            throw explain(error, generation: service.directory.servingGeneration())
        }
    }

    /// The pid, in the pid namespace of this process, of the process that listens for a generation; nil where this
    /// process cannot see it.
    ///
    /// The kernel reports it: the pid that a server reports is the one in the server's namespace. Throws as
    /// ``connect(_:)`` does if nobody listens.
    package func processID(ofGeneration generation: Int) throws(ControlError) -> Int32? {
        try connect(generation).processID.flatMap { Int32(exactly: $0) }
    }

    /// Pauses before the next try, for at most `milliseconds`.
    func pause(milliseconds: CInt) throws(ControlError) {
        if let interruption, !interruption.isBySignals {
            _ = try interruption.wait(
                for: nil, until: Clock.after(milliseconds: Int(milliseconds)))
        } else {
            _ = try? Syscall.poll([], timeoutMilliseconds: milliseconds)
        }
    }

    private func explain(
        _ errno: Errno, generation: Int?, owner: UInt32? = nil
    ) -> ControlError {
        let path = service.directory.path
        let name = generation.map { service.directory.controlPath($0) }
        switch errno {
        case .connectionRefused:
            return generation.map { .stale(generation: $0) }
                ?? .noSuchService("nobody listens in \(path)")
        case .noSuchFileOrDirectory:
            return .noSuchService(
                "nobody serves \(service.name): \(found()) in \(path); "
                    + "check that the server runs, or see `swapctl status \(service.name)`")
        case .invalidArgument:
            return .protocolViolation(
                "\(service.directory.servingPath) is not a link to the socket of a generation: "
                    + "remove it and start the server again")
        case .notSocket:
            return .protocolViolation(
                "\(name ?? path) is not a socket, and links are not followed: remove it")
        case .notPermitted:
            return ControlError(
                code: .permission,
                message: "the process that listens on \(name ?? path) is not of "
                    + "\(owner.map { "uid \($0)" } ?? "the user"), who owns the directory: "
                    + "nothing was sent",
                exitCode: .permission)
        case .permissionDenied:
            return .permission(path: path, owner: (try? Syscall.status(path))?.userID)
        default:
            return .system("cannot connect to \(service.name) in \(path)", errno)
        }
    }

    private func found() -> String {
        let numbers = service.directory.generations().map(String.init)
        switch numbers.count {
        case 0: return "there is no control socket"
        case 1: return "there is only the socket of generation \(numbers[0])"
        default: return "there are the sockets of generations \(numbers.joined(separator: ", "))"
        }
    }
}
