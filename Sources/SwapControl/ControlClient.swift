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

    /// Connects to the generation that serves.
    ///
    /// Throws `no-such-service` if there is none, `stale` if its socket outlived it.
    func connectServing() throws(ControlError) -> ControlConnection {
        do {
            let socket = try service.directory.connectServing()
            return ControlConnection(socket, who: "the serving generation of \(service.name)")
        } catch {
            try service.checkDirectory()
            throw explain(error, generation: service.directory.servingGeneration())
        }
    }

    /// Connects to one generation.
    func connect(_ generation: Int) throws(ControlError) -> ControlConnection {
        do {
            let socket = try service.directory.connect(generation)
            return ControlConnection(socket, who: "generation \(generation) of \(service.name)")
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

    /// The process that listens for a generation, by its number in this pid namespace, as the kernel says; nil: it
    /// cannot be seen from here.
    ///
    /// What a server says of itself is its number where it runs. Throws as ``connect(_:)`` if nobody listens.
    package func processID(ofGeneration generation: Int) throws(ControlError) -> Int32? {
        try connect(generation).processID.flatMap { Int32(exactly: $0) }
    }

    private func explain(_ errno: Errno, generation: Int?) -> ControlError {
        switch errno {
        case .connectionRefused:
            return generation.map { .stale(generation: $0) }
                ?? .noSuchService("nobody answers in \(service.directory.path)")
        case .noSuchFileOrDirectory:
            return .noSuchService(
                "nobody serves \(service.name): \(found()) in \(service.directory.path); "
                    + "check that the server runs, or see `swapctl status \(service.name)`")
        case .permissionDenied:
            let path = service.directory.path
            return .permission(path: path, owner: (try? Syscall.status(path))?.userID)
        default:
            return .system("cannot connect to \(service.name) in \(service.directory.path)", errno)
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
