// SPDX-License-Identifier: Apache-2.0

import SuccessionTransport

/// Every generation of a service that has a control socket, newest first.
package struct StatusReport: Sendable {
    package struct Entry: Sendable {
        package enum Answer: Sendable {
            case living(GenerationStatus)
            /// Nobody listens on the socket: the generation ended without removing it.
            case stale
            /// A process listens, and did not answer in time, or not with a status.
            case silent(processID: Int?, ControlError)
        }

        package let generation: Int
        package let answer: Answer
        /// The socket that was asked; nil: it could not be found or connected to.
        let socket: ControlSocket?

        package init(generation: Int, answer: Answer) {
            self.init(generation: generation, answer: answer, socket: nil)
        }

        init(generation: Int, answer: Answer, socket: ControlSocket?) {
            self.generation = generation
            self.answer = answer
            self.socket = socket
        }
    }

    package let service: Service
    package let entries: [Entry]

    package init(service: Service, entries: [Entry]) {
        self.service = service
        self.entries = entries
    }

    package var living: [GenerationStatus] {
        entries.compactMap { entry in
            if case .living(let status) = entry.answer { return status }
            return nil
        }
    }

    /// The generation that serves; nil: none does, which is so for a moment during a hand-over.
    package var serving: GenerationStatus? { living.first(where: \.isServing) }

    /// The status is `done` if a generation serves or hands over.
    ///
    /// A state that only a later version knows counts as serving.
    package var exitCode: ExitCode {
        if living.contains(where: { !$0.isStarting && !$0.isDraining }) { return .done }
        if living.contains(where: \.isStarting) { return .notYet }
        if !living.isEmpty { return .noService }
        let isForeign = entries.contains { entry in
            if case .silent(_, let error) = entry.answer {
                return error.exitCode == .protocolViolation
            }
            return false
        }
        return isForeign ? .protocolViolation : .noService
    }
}
