// SPDX-License-Identifier: Apache-2.0

import Succession

/// What a package that uses the library may rely on when the library gets new states and events.
@main
struct Server {
    static func main() async {
        do {
            try await serve()
        } catch {
            print("\(error)")
        }
    }

    static func serve() async throws {
        var configuration = GenerationConfiguration()
        configuration.onEvent = { event in print("\(word(event.level)): \(word(event.kind))") }
        let generation = try await Generation.begin("consumer", configuration: configuration)
        print(word(generation.state))
        try await generation.ready()
        await generation.drain(deadline: .zero)
        await generation.drained()
        print(word(generation.state))
    }

    static func word(_ state: GenerationState) -> String {
        switch state {
        case .starting: "starting"
        case .serving: "serving"
        case .standby: "standby"
        case .draining(let deadline): "draining for \(deadline)"
        @unknown default: "new state"
        }
    }

    static func word(_ level: SuccessionEvent.Level) -> String {
        switch level {
        case .debug, .info: "note"
        case .warning, .error: "problem"
        @unknown default: "new level"
        }
    }

    static func word(_ kind: SuccessionEvent.Kind) -> String {
        switch kind {
        case .serving: "serving"
        case .drainEnded(let cut, _): "\(cut) cut"
        default: "something else"
        }
    }
}
