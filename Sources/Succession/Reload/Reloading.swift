// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem

/// Brings requests to reload to the application and its answers back, one at a time.
///
/// Who asks while a request is out waits for the next one, together with all others who wait: no
/// answer is about a look at the configuration that began before the question.
@ControlThread
final class Reloading {
    /// Somebody who waits for an answer.
    @ControlThread
    final class Asker {
        let name: String
        let session: ControlSession?
        let since = Syscall.monotonicNanoseconds()
        fileprivate var timer: Timer?

        init(_ name: String, session: ControlSession?) {
            self.name = name
            self.session = session
        }
    }

    /// What the application has in hand.
    @ControlThread
    private final class Run {
        /// Those who still wait.
        var askers: [Asker]
        let askedBy: [String]
        let since = Syscall.monotonicNanoseconds()
        var isLate = false
        var timer: Timer?

        init(_ askers: [Asker]) {
            self.askers = askers
            askedBy = askers.map(\.name)
        }

        func outcome(_ failure: Failure?) -> Outcome {
            Outcome(
                failure: failure, askedBy: askedBy, duration: .since(since), isLate: isLate)
        }
    }

    /// What came of a request that the application was given.
    struct Outcome {
        /// Nil: accepted.
        let failure: Failure?
        let askedBy: [String]
        let duration: Duration
        /// It has been ended before, as overdue.
        let isLate: Bool
    }

    private let streams: ReloadStreams
    private let timeout: Duration
    /// Told when a request is given to the application.
    private let began: @ControlThread () -> Void
    /// Told when the answer is there or overdue, and once more if it comes after that.
    private let ended: @ControlThread (Outcome) -> Void
    private let accepted: @ControlThread (Asker) -> Wire.Reloaded
    private var run: Run?
    private var waiting: [Asker] = []

    init(
        _ streams: ReloadStreams, timeout: Duration, began: @escaping @ControlThread () -> Void,
        ended: @escaping @ControlThread (Outcome) -> Void,
        accepted: @escaping @ControlThread (Asker) -> Wire.Reloaded
    ) {
        self.streams = streams
        self.timeout = timeout
        self.began = began
        self.ended = ended
        self.accepted = accepted
    }

    func ask(_ asker: Asker, within limit: Duration?) {
        let limit = limit ?? timeout
        asker.timer = ControlThread.schedule(after: limit, of: .ownTime) { [weak self] in
            self?.expire(asker, limit)
        }
        waiting.append(asker)
        next()
    }

    /// Refuses all who wait and ends the application's loops; what it answers later is not heard.
    func end(_ failure: Failure) {
        let askers = (run?.askers ?? []) + waiting
        waiting = []
        if let run { close(run, failure) }
        for asker in askers { tell(asker, failure) }
        streams.finish()
    }

    private func next() {
        guard run == nil, !waiting.isEmpty else { return }
        let run = Run(waiting)
        waiting = []
        self.run = run
        began()
        run.timer = ControlThread.schedule(after: timeout, of: .ownTime) { [weak self] in
            self?.overdue(run)
        }
        let request = ReloadRequest(askedBy: run.askedBy) { [weak self] failure in
            Task { @ControlThread in self?.answered(run, failure) }
        }
        guard !streams.deliver(request) else { return }
        answered(run, .nobodyReloads)
    }

    private func answered(_ run: Run, _ failure: Failure?) {
        guard self.run === run else { return }
        close(run, failure)
        for asker in run.askers { tell(asker, failure) }
        next()
    }

    private func close(_ run: Run, _ failure: Failure?) {
        run.timer?.cancel()
        self.run = nil
        ended(run.outcome(failure))
    }

    private func tell(_ asker: Asker, _ failure: Failure?) {
        asker.timer?.cancel()
        if let failure {
            asker.session?.refuse(failure)
        } else if let session = asker.session {
            session.send(accepted(asker))
            session.close()
        }
    }

    /// One who asked has waited long enough; the application keeps the request.
    private func expire(_ asker: Asker, _ limit: Duration) {
        run?.askers.removeAll { $0 === asker }
        waiting.removeAll { $0 === asker }
        tell(asker, .unansweredWithin(limit))
    }

    /// Nobody else is kept waiting for an application that hangs; it keeps the request.
    private func overdue(_ run: Run) {
        ended(run.outcome(.unansweredWithin(timeout)))
        run.isLate = true
    }
}

extension Failure {
    fileprivate static let nobodyReloads = Failure(
        code: .unsupported,
        reason:
            "this server does not reload: nothing in it reads generation.reloads; an upgrade has a successor read the configuration"
    )

    fileprivate static func unansweredWithin(_ limit: Duration) -> Failure {
        Failure(
            code: .timeout,
            reason:
                "the application has not answered within \(limit): it may still take the new configuration, see its log"
        )
    }
}

extension Duration {
    /// The time since a moment on the monotonic clock.
    static func since(_ moment: UInt64) -> Duration {
        .nanoseconds(Int64(clamping: Syscall.monotonicNanoseconds() &- moment))
    }
}
