// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Calls off the upgrade of a service that runs.
package struct Abort: Sendable {
    private let client: ControlClient

    package init(_ service: Service) {
        client = ControlClient(service)
    }

    /// Returns when the upgrade is undone: its successor is dead, and the old generation serves.
    ///
    /// Thrown is that there is nothing to call off (`no-upgrade`), or not any more (`too-late`).
    package func run() throws(ControlError) -> AbortReport {
        let predecessor = try predecessor()
        let connection = try client.connect(predecessor.socket)
        try connection.send(Message(.abort))
        // Two signals with a second for each, a pause that takes its four seconds, and patience.
        let deadline = Clock.after(milliseconds: 30_000)
        while let message = try connection.receive(deadline: deadline) {
            guard message.kind == .aborted else { continue }
            let isSeen =
                predecessor.status.visibleProcessID == predecessor.status.processID
            return AbortReport(
                service: client.service.name, serving: predecessor.status.serving,
                isDraining: predecessor.status.state == "draining",
                successor: isSeen ? message.number(.successor) : nil,
                elapsedMicroseconds: message.number(.elapsed) ?? 0)
        }
        throw ControlError(
            code: "connection-lost",
            message: "\(predecessor.status.serving) ended before the upgrade was called off: see "
                + "`swapctl status \(client.service.name)`",
            exitCode: .unchanged)
    }

    /// Who says that it runs an upgrade: while one is under way `serving` may point to either side.
    private func predecessor() throws(ControlError) -> (
        socket: ControlSocket, status: GenerationStatus
    ) {
        for entry in try StatusReport.ask(client.service).entries {
            if let socket = entry.socket, case .living(let status) = entry.answer,
                status.upgrade != nil
            {
                return (socket, status)
            }
        }
        // It says why there is nothing to call off.
        return try client.askServing()
    }
}

/// An upgrade that was called off.
package struct AbortReport: Sendable, Hashable {
    package let service: String
    /// Who serves as before.
    package let serving: GenerationReference
    /// That generation drains: what was called off is a replacement for its dead successor, and
    /// nobody serves.
    package let isDraining: Bool
    /// Pid of the successor that was ended; nil: none had been started, or it cannot be seen from here.
    package let successor: Int?
    /// From the request until it was undone.
    package let elapsedMicroseconds: Int

    package init(
        service: String, serving: GenerationReference, isDraining: Bool = false, successor: Int?,
        elapsedMicroseconds: Int
    ) {
        self.service = service
        self.serving = serving
        self.isDraining = isDraining
        self.successor = successor
        self.elapsedMicroseconds = elapsedMicroseconds
    }

    /// What became of the upgrade, and in the last line who serves.
    package var sentences: [String] {
        let took = DurationText.seconds(microseconds: elapsedMicroseconds)
        let successor = successor.map { ", its successor (pid \($0)) has been ended" } ?? ""
        return [
            "\(service): the upgrade was called off in \(took)\(successor)",
            isDraining
                ? "\(service): nobody serves: \(serving) drains, and its successor is dead"
                : "\(service): unchanged, \(serving) is serving",
        ]
    }
}
