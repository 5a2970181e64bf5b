// SPDX-License-Identifier: Apache-2.0

/// How the generations that were asked to leave did so.
package struct DrainReport: Sendable {
    package enum Verb: String, Sendable {
        case drain, stop
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
    /// Who serves now.
    package let serving: ServingState

    package init(service: String, verb: Verb, drains: [Entry], serving: ServingState) {
        self.service = service
        self.verb = verb
        self.drains = drains
        self.serving = serving
    }

    /// To cut connections is what `stop` is for; `drain` was to spare them.
    package var exitCode: ExitCode {
        let isClean = drains.allSatisfy { entry in
            verb == .drain ? entry.outcome.isClean : entry.outcome.end != .timedOut
        }
        return isClean ? .done : .cut
    }

    /// Who has left, and in the last line who serves now.
    package var sentences: [String] {
        drains.map { "\(service): \($0.generation) \($0.outcome.sentence)" }
            + [serving.sentence(service)]
    }
}
