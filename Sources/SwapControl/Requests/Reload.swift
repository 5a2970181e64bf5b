// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Asks the serving generation to read its configuration again.
package struct Reload: Sendable {
    private let client: ControlClient
    /// How long the application may take to answer; nil: the server's own limit.
    private let timeout: Duration?

    package init(
        _ service: Service, timeout: Duration? = nil, interruption: Interruption? = nil
    ) {
        client = ControlClient(service, interruption: interruption)
        self.timeout = timeout
    }

    /// Returns when the application has accepted; throws its refusal, with its reason.
    package func run() throws(ControlError) -> ReloadReport {
        let (socket, status) = try client.askServing()
        let serving = status.serving
        let connection = try client.connect(socket)
        try connection.send(Wire.Reload(timeout: timeout))
        // The server ends the wait itself. This deadline is for a server that hangs.
        let longest = timeout?.wholeMilliseconds ?? 600_000
        let deadline = Clock.after(milliseconds: longest.addingClamped(10_000))
        while let answer = try connection.receive(deadline: deadline) {
            guard case .reloaded(let reloaded) = answer else { continue }
            return ReloadReport(
                service: client.service.name,
                serving: GenerationReference(
                    generation: reloaded.generation ?? serving.generation,
                    processID: serving.processID),
                elapsedMicroseconds: reloaded.elapsed.wholeMicroseconds)
        }
        throw ControlError(
            code: "lost",
            message: "\(serving) ended before it answered: it is not known whether it reloaded",
            exitCode: .unchanged)
    }
}

/// A reload that the application accepted.
public struct ReloadReport: Sendable, Hashable {
    /// The name of the service.
    public let service: String
    /// The generation that reloaded.
    public let serving: GenerationReference
    package let elapsedMicroseconds: Int

    /// How long the application took.
    public var elapsed: Duration { .microseconds(elapsedMicroseconds) }

    package init(service: String, serving: GenerationReference, elapsedMicroseconds: Int) {
        self.service = service
        self.serving = serving
        self.elapsedMicroseconds = elapsedMicroseconds
    }

    /// One line for the operator.
    package var sentence: String {
        "\(service): reloaded in \(DurationText.seconds(microseconds: elapsedMicroseconds)), \(serving) is serving"
    }
}
