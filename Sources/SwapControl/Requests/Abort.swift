// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Calls off the upgrade that a service runs.
package struct Abort: Sendable {
    private let client: ControlClient

    package init(_ service: Service, interruption: Interruption? = nil) {
        client = ControlClient(service, interruption: interruption)
    }

    /// Returns when the upgrade is undone: the successor has ended, and the old generation serves.
    ///
    /// Throws `no-upgrade` if no upgrade runs, and `too-late` if the successor serves already.
    package func run() throws(ControlError) -> AbortReport {
        let predecessor = try predecessor()
        let connection = try client.connect(predecessor.socket)
        try connection.send(Wire.AbortRequest())
        // The server sends two signals and waits a second after each; its pause of the listeners may take 4 s.
        let deadline = Clock.after(milliseconds: 30_000)
        while let answer = try connection.receive(deadline: deadline) {
            guard case .aborted(let aborted) = answer else { continue }
            let isSeen =
                predecessor.status.visibleProcessID == predecessor.status.processID
            return AbortReport(
                service: client.service.name, serving: predecessor.status.serving,
                isDraining: predecessor.status.isDraining,
                successor: isSeen ? aborted.successor.map { Int($0) } : nil,
                elapsedMicroseconds: aborted.elapsed.wholeMicroseconds)
        }
        throw ControlError(
            code: .connectionLost,
            message: "\(predecessor.status.serving) ended before the upgrade was called off: see "
                + "`swapctl status \(client.service.name)`",
            exitCode: .unchanged)
    }

    /// The generation that runs an upgrade.
    ///
    /// During an upgrade `serving` may point to either side.
    private func predecessor() throws(ControlError) -> (
        socket: ControlSocket, status: GenerationStatus
    ) {
        for entry in try client.status().entries {
            if let socket = entry.socket, case .living(let status) = entry.answer,
                status.upgrade != nil
            {
                return (socket, status)
            }
        }
        // The serving generation refuses, and its refusal says why there is nothing to call off.
        return try client.askServing()
    }
}

/// An upgrade that was called off.
package struct AbortReport: Sendable, Hashable {
    package let service: String
    /// The predecessor, which serves on.
    package let serving: GenerationReference
    /// The predecessor drains, and nobody serves: the upgrade was to replace its dead successor.
    package let isDraining: Bool
    /// The pid of the successor that was ended; nil: none was started, or this process cannot see it.
    package let successor: Int?
    /// The time from the request until the upgrade was undone.
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
