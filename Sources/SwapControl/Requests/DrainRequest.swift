// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Asks a generation to finish its connections and leave.
package struct DrainRequest: Sendable {
    private let client: ControlClient
    /// Nil: the serving generation.
    private let generation: Int?
    /// Nil: the server's own limit.
    private let deadline: Duration?

    package init(
        _ service: Service, generation: Int? = nil, deadline: Duration? = nil,
        interruption: Interruption? = nil
    ) {
        client = ControlClient(service, interruption: interruption)
        self.generation = generation
        self.deadline = deadline
    }

    /// The generation that is to leave, if it is the one that serves; else nil.
    package func serving() throws(ControlError) -> GenerationReference? {
        if let generation {
            guard case .generation(let serving) = client.servingState(),
                serving.generation == generation
            else { return nil }
            return serving
        }
        return try client.servingStatus().serving
    }

    /// Returns when the process has ended, or still runs 15 s after its deadline.
    package func run(
        progressMode: ProgressMode = .quiet, _ observe: (ControlEvent) -> Void
    ) throws(ControlError) -> DrainReport {
        let socket: ControlSocket
        if let generation {
            socket = try client.find(generation)
        } else {
            socket = try client.askServing().socket
        }
        let number = socket.generation
        let connection = try client.connect(socket)
        let processID = connection.processID
        try connection.send(Wire.Drain(deadline: deadline))
        let drain = try connection.followDrain(of: number, progressMode: progressMode, observe)
        return DrainReport(
            service: client.service.name, verb: .drain,
            drains: [
                .init(
                    generation: GenerationReference(generation: number, processID: processID),
                    outcome: drain)
            ],
            serving: client.servingState())
    }
}
