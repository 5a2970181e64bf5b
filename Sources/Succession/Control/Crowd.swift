// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import SystemPackage

/// Other living generations of a service, asked what they are at.
@ControlThread
final class Crowd {
    struct Member: Sendable {
        let generation: Int
        /// As the kernel tells it; 0: it cannot be seen from here.
        var processID: Int32 = 0
        /// `serving` and the like; nil: it has not said.
        var state: StateWord?
        /// A predicate: `drains 3 connections for at most 20 s more`.
        var clause = "does not answer"

        var description: String {
            "generation \(generation)" + (processID > 0 ? " (pid \(processID)) " : " ") + clause
        }
    }

    private var members: [Int: Member] = [:]
    private var waiting: [Int: MessageSocket] = [:]
    private var timer: Timer?
    private var completion: (@ControlThread ([Member]) -> Void)?

    private init(completion: @escaping @ControlThread ([Member]) -> Void) {
        self.completion = completion
    }

    /// Asks the generations of these numbers; `completion` gets what they say, the oldest first, after
    /// half a second at the latest.
    static func ask(
        _ numbers: [Int], in directory: RuntimeDirectory,
        completion: @escaping @ControlThread ([Member]) -> Void
    ) {
        let crowd = Crowd(completion: completion)
        // Also keeps it until then.
        crowd.timer = ControlThread.schedule(after: .milliseconds(500)) { crowd.finish() }
        for number in numbers { crowd.ask(number, directory) }
        crowd.finishIfDone()
    }

    /// The same for who can wait.
    static func ask(_ numbers: [Int], in directory: RuntimeDirectory) async -> [Member] {
        let answer = OneShot<[Member]>()
        ask(numbers, in: directory) { answer.fulfil($0) }
        return await answer.value()
    }

    private func ask(_ number: Int, _ directory: RuntimeDirectory) {
        var member = Member(generation: number)
        do {
            let socket = try directory.find(number).connect(isPatient: false)
            member.processID = try PeerCredentials.of(socket.descriptor.rawValue).processID
            try socket.send(Wire.StatusRequest())
            try ControlThread.watch(socket.descriptor.rawValue) { [weak self] in
                self?.readable(number)
            }
            waiting[number] = socket
        } catch {
            member.clause =
                error == .resourceTemporarilyUnavailable
                ? "lets nobody in" : "cannot be asked (\(error))"
        }
        members[number] = member
    }

    private func readable(_ number: Int) {
        guard let socket = waiting[number] else { return }
        do throws(TransportError) {
            if let packet = try socket.receive() {
                let status = try? Wire.Status(packet.message)
                members[number]?.state = status?.state
                members[number]?.clause = status?.clause ?? "does not say what it does"
            } else {
                members[number]?.clause = "ended just now"
            }
        } catch {
            if error.isWouldBlock { return }
            members[number]?.clause = "cannot be understood"
        }
        close(number)
        finishIfDone()
    }

    private func close(_ number: Int) {
        guard let socket = waiting.removeValue(forKey: number) else { return }
        ControlThread.unwatch(socket.descriptor.rawValue)
        socket.descriptor.close()
    }

    private func finishIfDone() {
        if waiting.isEmpty { finish() }
    }

    private func finish() {
        guard let completion else { return }
        self.completion = nil
        timer?.cancel()
        for number in Array(waiting.keys) { close(number) }
        completion(members.values.sorted { $0.generation < $1.generation })
    }
}

extension Wire.Status {
    /// A predicate; nil: it does not say what it does.
    fileprivate var clause: String? {
        guard let state else { return nil }
        let count = "\(connections) connection\(connections == 1 ? "" : "s")"
        guard state == .draining else { return "is \(state) with \(count)" }
        guard let remaining else { return "drains \(count)" }
        let milliseconds = remaining.millisecondsClamped
        return milliseconds > 0
            ? "drains \(count) for at most \((milliseconds - 1) / 1_000 + 1) s more"
            : "should have left by now, with \(count)"
    }
}
