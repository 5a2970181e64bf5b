// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Asks every living generation of a service to cut its connections and leave.
package struct StopRequest: Sendable {
    private let client: ControlClient

    package init(_ service: Service) {
        client = ControlClient(service)
    }

    /// Returns when all processes are gone, or some are still there well after they should.
    package func run(
        progressMode: ProgressMode = .quiet, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> DrainReport {
        let service = client.service
        // Whether it is the right service is asked first: after a stop it is too late.
        let living = try StatusReport.ask(service).entries.filter(\.isThere)
        if living.isEmpty {
            throw .noSuchService(
                "nobody serves \(service.name): the sockets in \(service.directory.path) are stale")
        }
        // All are asked before the first is waited for.
        var asked: [(GenerationReference, ControlConnection)] = []
        for entry in living {
            // One that has left since the look is what was wanted.
            guard let socket = entry.socket, let connection = try? client.connect(socket) else {
                continue
            }
            try connection.send(Message(.stop))
            let generation = GenerationReference(
                generation: entry.generation, processID: connection.processID)
            asked.append((generation, connection))
        }
        // Nothing was done, and not because all had left: no order could be given to what is there.
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
    /// Why it cannot be asked.
    fileprivate var failure: ControlError? {
        guard socket == nil, case .silent(_, let error) = answer else { return nil }
        return error
    }

    /// Somebody listens, answering or not.
    var isThere: Bool {
        if case .stale = answer { return false }
        return true
    }
}
