// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Asks a generation to finish its connections and leave.
package struct DrainRequest: Sendable {
    private let client: ControlClient
    /// Nil: the one that serves.
    private let generation: Int?
    /// Nil: what the server's author chose.
    private let deadline: Duration?

    package init(_ service: Service, generation: Int? = nil, deadline: Duration? = nil) {
        client = ControlClient(service)
        self.generation = generation
        self.deadline = deadline
    }

    /// The generation that serves, if it is the one that is to leave.
    package func serving() throws(ControlError) -> Serving? {
        if let generation {
            guard case .generation(let serving) = client.whoServes(),
                serving.generation == generation
            else { return nil }
            return serving
        }
        return try client.servingStatus().serving
    }

    /// Returns when the process is gone, or is still there well after its deadline.
    package func run(
        pace: Pace = .quiet, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> DepartureReport {
        let number: Int
        if let generation {
            number = generation
        } else {
            number = try client.servingStatus().generation
        }
        let connection = try client.connect(number)
        let processID = connection.processID
        var request = Message(.drain)
        if let deadline { request.add("DEADLINE_MS", deadline.wholeMilliseconds) }
        try connection.send(request)
        let departure = try connection.followDeparture(of: number, pace: pace, observe)
        return DepartureReport(
            service: client.service.name, verb: .drain,
            departures: [
                .init(
                    generation: Serving(generation: number, processID: processID),
                    departure: departure)
            ],
            serving: client.whoServes())
    }
}
