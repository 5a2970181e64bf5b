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

        package init(generation: Int, answer: Answer) {
            self.generation = generation
            self.answer = answer
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
            if case .silent(_, let error) = entry.answer { return !error.isTimeout }
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
        var asked: [(Int, Result<ControlConnection, ControlError>)] = []
        for generation in generations.reversed() {
            asked.append((generation, connectAndAsk(client, generation)))
        }
        let deadline = Clock.after(milliseconds: timeout.wholeMilliseconds)
        var entries: [Entry] = []
        for (generation, connection) in asked {
            if let answer = try hear(connection, service, deadline) {
                entries.append(Entry(generation: generation, answer: answer))
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

    private static func connectAndAsk(
        _ client: ControlClient, _ generation: Int
    ) -> Result<ControlConnection, ControlError> {
        do {
            let connection = try client.connect(generation)
            try connection.send(Message(.status))
            return .success(connection)
        } catch {
            return .failure(error)
        }
    }

    /// Nil: the generation has left since the directory was listed.
    private static func hear(
        _ connection: Result<ControlConnection, ControlError>, _ service: Service,
        _ deadline: UInt64
    ) throws(ControlError) -> Entry.Answer? {
        switch connection {
        case .failure(let error) where error.code == ControlError.stale: return .stale
        case .failure(let error) where error.code == ControlError.noSuchService: return nil
        case .failure(let error): throw error
        case .success(let connection):
            do {
                return .living(try connection.status(of: service, deadline: deadline))
            } catch {
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
        guard let message = try receive(deadline: deadline) else {
            throw ControlError.protocolViolation("\(who) closed the connection without an answer")
        }
        guard let status = GenerationStatus(message) else {
            throw ControlError.protocolViolation("\(who) answered with '\(message.kind.rawValue)'")
        }
        if service.isNamed, !status.service.isEmpty, status.service != service.name {
            throw ControlError.anotherService(
                "\(service.directory.path) belongs to the service '\(status.service.harmless)', "
                    + "not to '\(service.name)'")
        }
        return status
    }
}

extension ControlClient {
    /// Asks the generation that serves.
    package func servingStatus(
        timeout: Duration = .seconds(5)
    ) throws(ControlError) -> GenerationStatus {
        let connection = try connectServing()
        try connection.send(Message(.status))
        let deadline = Clock.after(milliseconds: timeout.wholeMilliseconds)
        return try connection.status(of: service, deadline: deadline)
    }

    /// Who serves now, as far as can be learnt within a second.
    package func whoServes() -> WhoServes {
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
