// SPDX-License-Identifier: Apache-2.0

/// How the generations that were asked to leave did so.
package struct DepartureReport: Sendable {
    package enum Verb: String, Sendable {
        case drain, stop
    }

    package struct Entry: Sendable {
        package let generation: Serving
        package let departure: Departure

        package init(generation: Serving, departure: Departure) {
            self.generation = generation
            self.departure = departure
        }
    }

    package let service: String
    package let verb: Verb
    package let departures: [Entry]
    /// Who serves now.
    package let serving: WhoServes

    package init(service: String, verb: Verb, departures: [Entry], serving: WhoServes) {
        self.service = service
        self.verb = verb
        self.departures = departures
        self.serving = serving
    }

    /// To cut connections is what `stop` is for; `drain` was to spare them.
    package var exitCode: ExitCode {
        let isClean = departures.allSatisfy { entry in
            verb == .drain ? entry.departure.isClean : entry.departure.end != .stays
        }
        return isClean ? .done : .cut
    }

    /// Who has left, and in the last line who serves now.
    package var sentences: [String] {
        departures.map { "\(service): \($0.generation) \($0.departure.sentence)" }
            + [serving.sentence(service)]
    }
}
