// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Asks the generation that serves to read its configuration again.
package struct Reload: Sendable {
    private let client: ControlClient
    /// For the application to answer; nil: what the server's author chose.
    private let timeout: Duration?

    package init(_ service: Service, timeout: Duration? = nil) {
        client = ControlClient(service)
        self.timeout = timeout
    }

    /// Returns when the application has accepted; that it refused is thrown, with its reason.
    package func run() throws(ControlError) -> ReloadReport {
        let (socket, status) = try client.askServing()
        let serving = status.serving
        let connection = try client.connect(socket)
        var request = Message(.reload)
        if let timeout { request.add(.timeout, timeout.wholeMilliseconds) }
        try connection.send(request)
        // The server ends the wait itself; this is for one that hangs.
        let longest = timeout?.wholeMilliseconds ?? 600_000
        let deadline = Clock.after(milliseconds: longest.addingClamped(10_000))
        while let message = try connection.receive(deadline: deadline) {
            guard message.kind == .reloaded else { continue }
            return ReloadReport(
                service: client.service.name,
                serving: GenerationReference(
                    generation: message.number(.generation) ?? serving.generation,
                    processID: serving.processID),
                elapsedMicroseconds: message.number(.elapsed) ?? 0)
        }
        throw ControlError(
            code: "lost",
            message:
                "\(serving) ended before it had answered: whether it had reloaded is not known",
            exitCode: .unchanged)
    }
}

/// A reload that was accepted.
package struct ReloadReport: Sendable, Hashable {
    package let service: String
    package let serving: GenerationReference
    package let elapsedMicroseconds: Int

    package init(service: String, serving: GenerationReference, elapsedMicroseconds: Int) {
        self.service = service
        self.serving = serving
        self.elapsedMicroseconds = elapsedMicroseconds
    }

    /// The last line: who serves now, and that it has reloaded.
    package var sentence: String {
        "\(service): reloaded in \(DurationText.seconds(microseconds: elapsedMicroseconds)), \(serving) is serving"
    }
}
