// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

/// All generations of a service that have a control socket, newest first.
package struct StatusReport: Sendable {
    package struct Entry: Sendable {
        package enum Answer: Sendable {
            case living(GenerationStatus)
            /// Nobody listens on its socket: it ended without cleaning up.
            case stale
            /// Somebody listens, but did not answer in time, or not what was asked.
            case silent(processID: Int?, ControlError)
        }

        package let generation: Int
        package let answer: Answer
        /// The one that was asked; nil: it could not be found or connected to.
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

    /// The one that serves; during a hand-over it may be none for a moment.
    package var serving: GenerationStatus? { living.first { $0.state == "serving" } }

    /// Done if anybody serves, or hands over; a word of a later version is no reason for doubt.
    package var exitCode: ExitCode {
        if living.contains(where: { $0.state != "starting" && $0.state != "draining" }) {
            return .done
        }
        if living.contains(where: { $0.state == "starting" }) { return .notYet }
        if !living.isEmpty { return .noService }
        let isForeign = entries.contains { entry in
            if case .silent(_, let error) = entry.answer {
                return error.exitCode == .protocolViolation
            }
            return false
        }
        return isForeign ? .protocolViolation : .noService
    }

    /// Asks every generation; together they have `timeout` to answer.
    ///
    /// Throws if the directory cannot be looked into, if no generation has a socket, or if the directory belongs to
    /// another service than the one named. Generations that do not answer are part of the report.
    package static func ask(
        _ service: Service, timeout: Duration = .seconds(2)
    ) throws(ControlError) -> StatusReport {
        try service.checkDirectory()
        let generations = service.directory.generations()
        if generations.isEmpty {
            throw .noSuchService(
                "nobody serves \(service.name): there is no control socket in "
                    + "\(service.directory.path); check that the server runs")
        }
        let client = ControlClient(service)
        // All are asked before the first is heard: one that hangs does not hold up the others.
        var asked: [(Int, Result<Question, ControlError>)] = []
        for generation in generations.reversed() {
            asked.append((generation, connectAndAsk(client, generation)))
        }
        let deadline = Clock.after(milliseconds: timeout.wholeMilliseconds)
        var entries: [Entry] = []
        for (generation, question) in asked {
            if let answer = try hear(question, service, deadline) {
                let socket = try? question.get().socket
                entries.append(Entry(generation: generation, answer: answer, socket: socket))
            }
        }
        return StatusReport(service: service, entries: entries)
    }

    /// Asks until somebody serves; at the deadline the last report is returned, or what was in its
    /// place is thrown.
    package static func ask(
        _ service: Service, untilServing patience: Duration
    ) throws(ControlError) -> StatusReport {
        let deadline = Clock.after(milliseconds: patience.wholeMilliseconds)
        var pause: CInt = 5
        while true {
            let result = Result { () throws(ControlError) in try ask(service) }
            if case .success(let report) = result, report.exitCode == .done { return report }
            if case .failure(let error) = result, error.exitCode != .noService { throw error }
            let now = Clock.now
            guard now < deadline else { return try result.get() }
            // Nobody can say when a server begins to answer: not even its directory need be there.
            let left = CInt(clamping: (deadline - now) / 1_000_000 + 1)
            _ = try? Syscall.poll([], timeoutMilliseconds: min(pause, left))
            pause = min(pause * 2, 200)
        }
    }

    private struct Question {
        let socket: ControlSocket
        let connection: ControlConnection
    }

    private static func connectAndAsk(
        _ client: ControlClient, _ generation: Int
    ) -> Result<Question, ControlError> {
        do {
            let socket = try client.find(generation)
            let connection = try client.connect(socket)
            try connection.send(Message(.status))
            return .success(Question(socket: socket, connection: connection))
        } catch {
            return .failure(error)
        }
    }

    /// Nil: the generation has left since the directory was listed.
    private static func hear(
        _ question: Result<Question, ControlError>, _ service: Service,
        _ deadline: UInt64
    ) throws(ControlError) -> Entry.Answer? {
        switch question {
        case .failure(let error) where error.code == ControlError.stale: return .stale
        case .failure(let error) where error.code == ControlError.noSuchService: return nil
        case .failure(let error) where error.exitCode == .protocolViolation:
            return .silent(processID: nil, error)
        case .failure(let error): throw error
        case .success(let question):
            let connection = question.connection
            do {
                return .living(try connection.status(of: service, deadline: deadline))
            } catch {
                // It has left since it was asked.
                if error.code == ControlError.noSuchService { return nil }
                if error.code == ControlError.anotherService { throw error }
                return .silent(processID: connection.processID, error)
            }
        }
    }
}

// MARK: - One generation

extension ControlConnection {
    /// Receives the answer to a request for the status.
    func status(of service: Service, deadline: UInt64) throws(ControlError) -> GenerationStatus {
        let process = process
        guard let message = try receive(deadline: deadline) else { throw endedSilently(process) }
        guard message.kind == .status else {
            throw ControlError.protocolViolation("\(who) answered with '\(message.kind.rawValue)'")
        }
        guard var status = GenerationStatus(message) else {
            throw ControlError.protocolViolation(
                "\(who) answered without a valid GENERATION= and PID=")
        }
        status.peer = processID.map { .process($0) } ?? .elsewhere
        if service.isNamed, !status.service.isEmpty, status.service != service.name {
            throw ControlError.anotherService(
                "\(service.directory.path) belongs to the service '\(status.service.terminalSafe)', "
                    + "not to '\(service.name)'")
        }
        return status
    }

    /// Why there was no answer: a process that ends closes its connections before it is gone.
    private func endedSilently(_ process: ProcessHandle?) -> ControlError {
        if let process, !process.waitForExit(deadline: Clock.after(milliseconds: 1_000)) {
            return .protocolViolation("\(who) closed the connection without an answer")
        }
        return .noSuchService(
            "\(who) ended before it answered; check that the server runs, or start it")
    }
}

extension ControlClient {
    /// Asks the generation that serves.
    package func servingStatus(
        timeout: Duration = .seconds(5)
    ) throws(ControlError) -> GenerationStatus {
        try askServing(timeout: timeout).status
    }

    /// Asks the generation that serves, and says which socket it answered on: an order goes to the same.
    ///
    /// Where `serving` leads nowhere all generations are asked.
    func askServing(
        timeout: Duration = .seconds(5)
    ) throws(ControlError) -> (socket: ControlSocket, status: GenerationStatus) {
        let deadline = Clock.after(milliseconds: timeout.wholeMilliseconds)
        do {
            let socket = try findServing()
            return (socket, try ask(socket, deadline: deadline))
        } catch {
            let isBroken =
                error.code == ControlError.noSuchService || error.code == ControlError.stale
                || error.exitCode == .protocolViolation
            guard isBroken, let found = searchServing(deadline) else { throw error }
            return found
        }
    }

    private func ask(
        _ socket: ControlSocket, deadline: UInt64
    ) throws(ControlError) -> GenerationStatus {
        let connection = try connect(socket)
        try connection.send(Message(.status))
        return try connection.status(of: service, deadline: deadline)
    }

    /// The newest generation that says that it serves.
    private func searchServing(
        _ deadline: UInt64
    ) -> (socket: ControlSocket, status: GenerationStatus)? {
        for number in service.directory.generations().reversed() {
            let own = min(deadline, Clock.after(milliseconds: 1_000))
            guard let socket = try? find(number), let status = try? ask(socket, deadline: own),
                status.state == "serving"
            else { continue }
            return (socket, status)
        }
        return nil
    }

    /// Who serves now, as far as can be learnt within a second.
    package func servingState() -> ServingState {
        do {
            let status = try servingStatus(timeout: .seconds(1))
            return status.state == "serving" ? .generation(status.serving) : .unknown
        } catch {
            let isEmpty =
                error.code == ControlError.noSuchService || error.code == ControlError.stale
            return isEmpty ? .nobody : .unknown
        }
    }
}
