// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem
import SystemPackage

/// The service manager that started this process, spoken to through its notification socket.
///
/// Nothing here blocks: what is said is sent in order by a thread of its own, which also loads
/// libsystemd. A manager hears only those whom `NotifyAccess=` of the unit lets speak, and never
/// tells who was not heard.
public final class ServiceManager: Sendable {
    private let thread = NotifyThread()

    /// Nil if no manager wants to be told (`NOTIFY_SOCKET`), or it is out of reach: a vsock address,
    /// or a program built without the trait `Systemd`.
    ///
    /// Reads the environment and nothing else.
    public init?() {
        #if Systemd
        // `@` is an abstract socket, as older managers and containers have it.
        guard let path = ProcessEnvironment.value("NOTIFY_SOCKET"),
            path.hasPrefix("/") || path.hasPrefix("@")
        else { return nil }
        #else
        return nil
        #endif
    }

    /// How often the manager wants to hear ``ManagerNotice/watchdog`` at least; nil if it does not
    /// watch this process (sd_watchdog_enabled(3)).
    ///
    /// Ping twice as often. Reads the environment and nothing else.
    public static func watchdogInterval() -> Duration? {
        #if Systemd
        guard let text = ProcessEnvironment.value("WATCHDOG_USEC"), let time = Int64(text), time > 0
        else { return nil }
        // Without it the interval is for every process that inherits it.
        if let pid = ProcessEnvironment.value("WATCHDOG_PID") {
            guard Int32(pid) == ProcessEnvironment.processID else { return nil }
        }
        return .microseconds(time)
        #else
        return nil
        #endif
    }

    /// Says something, all in one message; returns at once.
    ///
    /// What cannot be sent is lost. At the end of the process call ``flush(within:)``.
    public func post(_ notices: ManagerNotice...) {
        submit(notices) { _ in }
    }

    /// Says something, all in one message, and returns when the manager has acted upon it and
    /// everything before.
    ///
    /// The manager tells that by closing a pipe (`BARRIER=1`). Throws
    /// ``ActivationError/Code/timeout`` if it does not within `deadline`. That it acted does not
    /// mean that it obeyed.
    @concurrent
    public func send(
        _ notices: ManagerNotice..., within deadline: Duration = .seconds(5)
    ) async throws(ActivationError) {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, ActivationError>, Never>) in
            let answer = Answer(continuation)
            submit(notices, barrier: deadline) { answer.give($0) }
            answer.expire(after: deadline, with: .failure(Self.silence(deadline)))
        }
        try result.get()
    }

    /// Blocks until everything said so far has been sent, or the time has passed.
    ///
    /// For the last moment of a process.
    public func flush(within deadline: Duration = .seconds(1)) {
        let (seconds, attoseconds) = deadline.components
        thread.flush(
            within: CInt(clamping: min(seconds, 60) * 1_000 + attoseconds / 1_000_000_000_000_000))
    }

    static func silence(_ deadline: Duration) -> ActivationError {
        ActivationError(
            .timeout, "the service manager has not answered on NOTIFY_SOCKET within \(deadline)")
    }

    /// Says something; `completion` is called on the sending thread when it has been sent and, with
    /// `barrier`, the manager has acted upon it.
    ///
    /// It may never be called: whoever waits keeps a deadline of their own. The descriptors are
    /// kept open until then.
    package func submit(
        _ notices: [ManagerNotice], descriptors: [OwnedDescriptor] = [], barrier: Duration? = nil,
        completion: @escaping @Sendable (Result<Void, ActivationError>) -> Void
    ) {
        #if Systemd
        let text = notices.map(\.text).joined(separator: "\n")
        let isTaken = thread.submit {
            completion(Self.deliver(text, descriptors, barrier: barrier))
        }
        if !isTaken {
            completion(
                .failure(
                    ActivationError(.notDelivered, "the service manager has stopped listening")))
        }
        #endif
    }

    /// Loads libsystemd in the background: it takes a millisecond that is missed later.
    package func prepare() {
        #if Systemd
        thread.submit { _ = LibSystemd.shared }
        #endif
    }
}

#if Systemd
extension ServiceManager {
    private static func deliver(
        _ text: String, _ descriptors: [OwnedDescriptor], barrier: Duration?
    ) -> Result<Void, ActivationError> {
        Result { () throws(ActivationError) in
            let library = try LibSystemd.shared.get()
            if !text.isEmpty {
                let numbers = descriptors.map(\.rawValue)
                let result = library.notifyWithFDs(
                    0, 0, text, numbers, CUnsignedInt(numbers.count))
                withExtendedLifetime(descriptors) {}
                try check(result, "sd_notify")
            }
            // A library without barriers belongs to a manager without.
            guard let barrier, let notifyBarrier = library.notifyBarrier else { return }
            let (seconds, attoseconds) = barrier.components
            let microseconds =
                UInt64(max(0, min(seconds, 3_600))) * 1_000_000
                + UInt64(max(0, attoseconds)) / 1_000_000_000_000
            let result = notifyBarrier(0, microseconds)
            if Errno(rawValue: -result) == .timedOut { throw silence(barrier) }
            try check(result, "sd_notify_barrier")
        }
    }

    private static func check(_ result: CInt, _ function: String) throws(ActivationError) {
        if result > 0 { return }
        let socket = ProcessEnvironment.value("NOTIFY_SOCKET") ?? ""
        let why =
            result == 0
            ? "NOTIFY_SOCKET is no longer set"
            : "NOTIFY_SOCKET=\(socket): \(Errno(rawValue: -result))"
        throw ActivationError(.notDelivered, "\(function) failed: \(why)")
    }
}
#endif
