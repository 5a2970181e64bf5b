// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionTransport

/// Makes room for a successor where as many generations live as may.
struct Eviction {
    let client: ControlClient
    let progressMode: ProgressMode

    /// Has the oldest generation that does not serve cut what it still has, and returns when its
    /// process is gone.
    func run(_ observe: (ControlEvent) -> Void) throws(ControlError) {
        let entries = try StatusReport.ask(client.service).entries
        // The newest first; one that runs an upgrade, or serves, is never cut.
        let oldest = entries.last { entry in
            switch entry.answer {
            case .living(let status): status.state == "draining"
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
        try connection.send(Message(.stop))
        let drain: DrainOutcome
        do {
            drain = try connection.followDrain(
                of: oldest.generation, progressMode: progressMode, observe)
        } catch {
            guard error.isTimeout else { throw error }
            throw failure("\(who) does not answer, and was to be cut: end its process")
        }
        if drain.end == .timedOut {
            throw failure("\(who) was told to leave and stays: end its process")
        }
    }

    private func failure(_ message: String) -> ControlError {
        ControlError(
            code: FailureCode.generations.rawValue,
            message: "\(message); nothing was upgraded", exitCode: .tooManyGenerations)
    }
}
