// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Asks every living generation of a service to cut its connections and leave.
package struct StopRequest: Sendable {
    private let client: ControlClient

    package init(_ service: Service) {
        client = ControlClient(service)
    }

    /// Returns when every process has ended, or still runs 15 s after its deadline.
    package func run(
        progressMode: ProgressMode = .quiet, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> DrainReport {
        let service = client.service
        // The status shows whether it is the right service, before anything is stopped.
        let living = try client.status().entries.filter(\.hasListener)
        if living.isEmpty {
            throw .noSuchService(
                "nobody serves \(service.name): the sockets in \(service.directory.path) are stale")
        }
        // Every generation is asked before the first is waited for.
        var asked: [(GenerationReference, ControlConnection)] = []
        for entry in living {
            // A generation that has left since the status was read needs no request.
            guard let socket = entry.socket, let connection = try? client.connect(socket) else {
                continue
            }
            try connection.send(Wire.Stop())
            let generation = GenerationReference(
                generation: entry.generation, processID: connection.processID)
            asked.append((generation, connection))
        }
        // No generation could be asked, and not because all had left.
        if asked.isEmpty, let error = living.lazy.compactMap(\.failure).first { throw error }
        var drains: [DrainReport.Entry] = []
        for (generation, connection) in asked {
            let drain = try connection.followDrain(
                of: generation.generation, progressMode: progressMode, observe)
            drains.append(.init(generation: generation, outcome: drain))
        }
        return DrainReport(
            service: service.name, verb: .stop, drains: drains,
            serving: client.servingState())
    }
}

extension StatusReport.Entry {
    /// Why the generation cannot be asked; nil: it can, or it is stale.
    fileprivate var failure: ControlError? {
        guard socket == nil, case .silent(_, let error) = answer else { return nil }
        return error
    }

    /// Whether a process listens on the socket, answering or not.
    fileprivate var hasListener: Bool {
        if case .stale = answer { return false }
        return true
    }
}
