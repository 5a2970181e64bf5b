// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

// MARK: - All generations

extension StatusReport {
    /// As ``ControlClient/status(timeout:)``.
    package static func ask(_ service: Service) throws(ControlError) -> StatusReport {
        try ControlClient(service).status()
    }

    /// Asks again until a generation serves.
    ///
    /// At the deadline it returns the last report, or throws the last error. An error other than that there is no such
    /// service is thrown at once.
    package static func ask(
        _ service: Service, untilServing patience: Duration
    ) throws(ControlError) -> StatusReport {
        let client = ControlClient(service)
        let deadline = Clock.after(milliseconds: patience.wholeMilliseconds)
        var pause: CInt = 5
        while true {
            let result = Result { () throws(ControlError) in try client.status() }
            if case .success(let report) = result, report.exitCode == .done { return report }
            if case .failure(let error) = result, error.exitCode != .noService { throw error }
            let now = Clock.now
            guard now < deadline else { return try result.get() }
            // A server does not announce its start, and its directory may not exist yet: there is nothing to wait on.
            let left = CInt(clamping: (deadline - now) / 1_000_000 + 1)
            try client.pause(milliseconds: min(pause, left))
            pause = min(pause * 2, 200)
        }
    }
}

extension ControlClient {
    /// Asks every generation at once; together they have `timeout` to answer.
    ///
    /// Throws if the directory cannot be read, if no generation has a socket, or if the directory belongs to another
    /// service than the one that was named. A generation that does not answer is part of the report.
    package func status(timeout: Duration = .seconds(2)) throws(ControlError) -> StatusReport {
        try service.checkDirectory()
        let generations = service.directory.generations()
        if generations.isEmpty {
            throw .noSuchService(
                "nobody serves \(service.name): there is no control socket in "
                    + "\(service.directory.path); check that the server runs")
        }
        // Every generation is asked before the first answer is awaited: one that hangs does not delay the others.
        var asked: [(Int, Result<Question, ControlError>)] = []
        for generation in generations.reversed() {
            asked.append((generation, connectAndAsk(generation)))
        }
        let deadline = Clock.after(milliseconds: timeout.wholeMilliseconds)
        var entries: [StatusReport.Entry] = []
        for (generation, question) in asked {
            if let answer = try receive(question, deadline) {
                let socket = try? question.get().socket
                entries.append(.init(generation: generation, answer: answer, socket: socket))
            }
        }
        return StatusReport(service: service, entries: entries)
    }

    private struct Question {
        let socket: ControlSocket
        let connection: ControlConnection
    }

    private func connectAndAsk(_ generation: Int) -> Result<Question, ControlError> {
        do {
            let socket = try find(generation)
            let connection = try connect(socket)
            try connection.send(Wire.StatusRequest())
            return .success(Question(socket: socket, connection: connection))
        } catch {
            return .failure(error)
        }
    }

    /// Nil: the generation has left since the directory was read.
    private func receive(
        _ question: Result<Question, ControlError>, _ deadline: UInt64
    ) throws(ControlError) -> StatusReport.Entry.Answer? {
        switch question {
        case .failure(let error) where error.code == .stale: return .stale
        case .failure(let error) where error.code == .noSuchService: return nil
        case .failure(let error) where error.exitCode == .protocolViolation:
            return .silent(processID: nil, error)
        case .failure(let error): throw error
        case .success(let question):
            let connection = question.connection
            do {
                return .living(try connection.status(of: service, deadline: deadline))
            } catch {
                // The generation has left since it was asked.
                if error.code == .noSuchService { return nil }
                if error.code == .anotherService || error.isInterruption { throw error }
                return .silent(processID: connection.processID, error)
            }
        }
    }
}

// MARK: - The serving generation

extension ControlClient {
    /// Asks the generation that serves.
    package func servingStatus(
        timeout: Duration = .seconds(5)
    ) throws(ControlError) -> GenerationStatus {
        try askServing(timeout: timeout).status
    }

    /// Asks the generation that serves, and returns the socket that answered: a request must go to the same one.
    ///
    /// Asks every generation if the link `serving` is broken.
    func askServing(
        timeout: Duration = .seconds(5)
    ) throws(ControlError) -> (socket: ControlSocket, status: GenerationStatus) {
        let deadline = Clock.after(milliseconds: timeout.wholeMilliseconds)
        do {
            let socket = try findServing()
            return (socket, try ask(socket, deadline: deadline))
        } catch {
            let isBroken =
                error.code == .noSuchService || error.code == .stale
                || error.exitCode == .protocolViolation
            guard isBroken, let found = searchServing(deadline) else { throw error }
            return found
        }
    }

    private func ask(
        _ socket: ControlSocket, deadline: UInt64
    ) throws(ControlError) -> GenerationStatus {
        let connection = try connect(socket)
        try connection.send(Wire.StatusRequest())
        return try connection.status(of: service, deadline: deadline)
    }

    /// The newest generation that reports that it serves.
    private func searchServing(
        _ deadline: UInt64
    ) -> (socket: ControlSocket, status: GenerationStatus)? {
        for number in service.directory.generations().reversed() {
            let own = min(deadline, Clock.after(milliseconds: 1_000))
            guard let socket = try? find(number), let status = try? ask(socket, deadline: own),
                status.isServing
            else { continue }
            return (socket, status)
        }
        return nil
    }

    /// Which generation serves, as far as a second is enough to learn it.
    package func servingState() -> ServingState {
        do {
            let status = try servingStatus(timeout: .seconds(1))
            return status.isServing ? .generation(status.serving) : .unknown
        } catch {
            return error.code == .noSuchService || error.code == .stale ? .nobody : .unknown
        }
    }
}

// MARK: - One answer

extension ControlConnection {
    /// Receives the answer to a request for the status.
    fileprivate func status(
        of service: Service, deadline: UInt64
    ) throws(ControlError) -> GenerationStatus {
        let process = process
        guard let answer = try receive(deadline: deadline) else { throw endedSilently(process) }
        var status: GenerationStatus
        switch answer {
        case .status(let answer): status = GenerationStatus(answer)
        case .malformed(let error): throw .protocolViolation("\(who) answered wrongly: \(error)")
        case .step, .result, .draining, .drained, .aborted, .reloaded, .misplaced:
            throw .protocolViolation("\(who) did not answer with its status")
        }
        status.peer = processID.map { .process($0) } ?? .elsewhere
        if service.isNamed, !status.service.isEmpty, status.service != service.name {
            throw ControlError.anotherService(
                "\(service.directory.path) belongs to the service '\(status.service.terminalSafe)', "
                    + "not to '\(service.name)'")
        }
        return status
    }

    /// Why there was no answer: a process that ends closes its connections before it has ended.
    private func endedSilently(_ process: ProcessHandle?) -> ControlError {
        if let process, !process.waitForExit(deadline: Clock.after(milliseconds: 1_000)) {
            return .protocolViolation("\(who) closed the connection without an answer")
        }
        return .noSuchService(
            "\(who) ended before it answered; check that the server runs, or start it")
    }
}
