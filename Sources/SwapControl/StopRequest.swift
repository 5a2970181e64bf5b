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
        pace: Pace = .quiet, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> DepartureReport {
        let service = client.service
        // Whether it is the right service is asked first: after a stop it is too late.
        let living = try StatusReport.ask(service).entries.filter(\.isThere)
        if living.isEmpty {
            throw .noSuchService(
                "nobody serves \(service.name): the sockets in \(service.directory.path) are stale")
        }
        // All are asked before the first is waited for.
        var asked: [(Serving, ControlConnection)] = []
        for entry in living {
            // One that has left since the look is what was wanted.
            guard let socket = entry.socket, let connection = try? client.connect(socket) else {
                continue
            }
            try connection.send(Message(.stop))
            let generation = Serving(
                generation: entry.generation, processID: connection.processID)
            asked.append((generation, connection))
        }
        // Nothing was done, and not because all had left: no order could be given to what is there.
        if asked.isEmpty, let error = living.lazy.compactMap(\.failure).first { throw error }
        var departures: [DepartureReport.Entry] = []
        for (generation, connection) in asked {
            let departure = try connection.followDeparture(
                of: generation.generation, pace: pace, observe)
            departures.append(.init(generation: generation, departure: departure))
        }
        return DepartureReport(
            service: service.name, verb: .stop, departures: departures,
            serving: client.whoServes())
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
