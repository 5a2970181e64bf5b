// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// Knocks at the control sockets of one service.
package struct ControlClient: Sendable {
    package let service: Service

    package init(_ service: Service) {
        self.service = service
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
                try socket.connect(), who: "generation \(socket.generation) of \(service.name)")
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

    /// The process that listens for a generation, by its number in this pid namespace, as the kernel says; nil: it
    /// cannot be seen from here.
    ///
    /// What a server says of itself is its number where it runs. Throws as ``connect(_:)`` if nobody listens.
    package func processID(ofGeneration generation: Int) throws(ControlError) -> Int32? {
        try connect(generation).processID.flatMap { Int32(exactly: $0) }
    }

    private func explain(
        _ errno: Errno, generation: Int?, owner: UInt32? = nil
    ) -> ControlError {
        let path = service.directory.path
        let name = generation.map { service.directory.controlPath($0) }
        switch errno {
        case .connectionRefused:
            return generation.map { .stale(generation: $0) }
                ?? .noSuchService("nobody answers in \(path)")
        case .noSuchFileOrDirectory:
            return .noSuchService(
                "nobody serves \(service.name): \(found()) in \(path); "
                    + "check that the server runs, or see `swapctl status \(service.name)`")
        case .invalidArgument:
            return .protocolViolation(
                "\(service.directory.servingPath) is no link to the socket of a generation: "
                    + "remove it and start the server again")
        case .notSocket:
            return .protocolViolation(
                "\(name ?? path) is no socket, and links are not followed: remove it")
        case .notPermitted:
            return ControlError(
                code: FailureCode.permission.rawValue,
                message: "who listens on \(name ?? path) is not "
                    + "\(owner.map { "uid \($0)" } ?? "the user"), to whom the directory belongs: "
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
