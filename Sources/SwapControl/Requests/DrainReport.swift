// SPDX-License-Identifier: Apache-2.0

/// How the generations drained that were asked to leave.
package struct DrainReport: Sendable {
    package enum Verb: String, Sendable {
        /// The generation finishes its connections until its deadline.
        case drain
        /// The generation cuts its connections.
        case stop
    }

    package struct Entry: Sendable {
        package let generation: GenerationReference
        package let outcome: DrainOutcome

        package init(generation: GenerationReference, outcome: DrainOutcome) {
            self.generation = generation
            self.outcome = outcome
        }
    }

    package let service: String
    package let verb: Verb
    package let drains: [Entry]
    /// The generation that serves after the drain.
    package let serving: ServingState

    package init(service: String, verb: Verb, drains: [Entry], serving: ServingState) {
        self.service = service
        self.verb = verb
        self.drains = drains
        self.serving = serving
    }

    /// Cut connections are a failure of `drain` and the purpose of `stop`.
    package var exitCode: ExitCode {
        let isClean = drains.allSatisfy { entry in
            verb == .drain ? entry.outcome.isClean : entry.outcome.end != .timedOut
        }
        return isClean ? .done : .cut
    }

    /// One line for each generation, and a last one that says who serves.
    package var sentences: [String] {
        drains.map { "\(service): \($0.generation) \($0.outcome.sentence)" }
            + [serving.sentence(service)]
    }
}
