// SPDX-License-Identifier: Apache-2.0

import Succession

/// A server of another package, which may rely on what is used here, also when the library gets new states and
/// events.
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
        configuration.signals[.hangUp] = .reload
        configuration.drainDeadline = .zero
        let generation = try await Generation.run("consumer", configuration: configuration) {
            generation in
            let listener = try generation.listener("echo", orBind: .tcp("127.0.0.1", 0))
            let pipe = try generation.descriptor("pipe") { try listener.duplicate() }
            print(listener.address.host ?? "", (listener.address.port ?? 0) > 0, pipe.name)
            print(pipe.withUnsafeDescriptor { $0.rawValue } > 2)
            print(word(generation.state))
            try await generation.ready()
            return generation
        }
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
