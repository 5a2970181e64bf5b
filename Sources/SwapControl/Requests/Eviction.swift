// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Makes room for a successor in a service that has as many generations as it may have.
struct Eviction {
    let client: ControlClient
    let progressMode: ProgressMode

    /// Stops the oldest generation that neither serves nor runs an upgrade; returns when its process has ended.
    func run(_ observe: (ControlEvent) -> Void) throws(ControlError) {
        // Newest first.
        let oldest = try client.status().entries.last { entry in
            switch entry.answer {
            case .living(let status): status.isDraining
            case .silent: true
            case .stale: false
            }
        }
        guard let oldest, let socket = oldest.socket else {
            throw failure("no old generation can be cut")
        }
        let connection = try client.connect(socket)
        let who = GenerationReference(
            generation: oldest.generation, processID: connection.processID)
        try connection.send(Wire.Stop())
        let drain: DrainOutcome
        do {
            drain = try connection.followDrain(
                of: oldest.generation, progressMode: progressMode, observe)
        } catch {
            guard error.isTimeout else { throw error }
            throw failure("\(who) was to be cut and does not answer: end its process")
        }
        if drain.end == .timedOut {
            throw failure("\(who) was told to leave and still runs: end its process")
        }
    }

    private func failure(_ message: String) -> ControlError {
        ControlError(
            code: .tooManyGenerations, message: "\(message); nothing was upgraded",
            exitCode: .tooManyGenerations)
    }
}
