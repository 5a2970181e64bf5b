// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem
import SystemPackage

/// The service manager that started this process, spoken to through its notification socket.
///
/// Nothing here blocks: what is said is sent in order by a thread of its own, over one socket that
/// stays open. A manager hears only those whom `NotifyAccess=` of the unit lets speak, and never
/// tells who was not heard.
public final class ServiceManager: Sendable {
    private let thread = NotifyThread()
    #if Systemd
    private let socket: NotifySocket
    #endif

    /// Nil if no manager wants to be told (`NOTIFY_SOCKET`), or it is out of reach: a vsock address,
    /// or a program built without the trait `Systemd`.
    ///
    /// Reads the environment and nothing else.
    public init?() {
        #if Systemd
        guard let path = ProcessEnvironment.value("NOTIFY_SOCKET"),
            path.hasPrefix("/") || path.hasPrefix("@")
        else { return nil }
        socket = NotifySocket(path)
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
        let answer = OneShot<Result<Void, ActivationError>>()
        submit(notices, barrier: deadline) { answer.fulfil($0) }
        answer.expire(after: deadline, with: .failure(Self.silence(deadline)))
        try await answer.value().get()
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
    /// It may never be called: a caller that waits keeps its own deadline. The descriptors are
    /// kept open until then.
    package func submit(
        _ notices: [ManagerNotice], descriptors: [OwnedDescriptor] = [], barrier: Duration? = nil,
        completion: @escaping @Sendable (Result<Void, ActivationError>) -> Void
    ) {
        #if Systemd
        let text = notices.map(\.text).joined(separator: "\n")
        let isTaken = thread.submit { [socket] in
            completion(socket.deliver(text, descriptors, barrier: barrier))
        }
        if !isTaken {
            completion(
                .failure(
                    ActivationError(.notDelivered, "the service manager has stopped listening")))
        }
        #endif
    }

    /// Connects to the manager now, while there are descriptors; what fails is tried again and told
    /// when something is said.
    package func prepare() {
        #if Systemd
        try? socket.prepare()
        #endif
    }
}

#if Systemd
extension NotifySocket {
    fileprivate func deliver(
        _ text: String, _ descriptors: [OwnedDescriptor], barrier: Duration?
    ) -> Result<Void, ActivationError> {
        Result { () throws(ActivationError) in
            do throws(Errno) {
                if !text.isEmpty { try send(text, descriptors.map(\.rawValue)) }
                withExtendedLifetime(descriptors) {}
                guard let barrier else { return }
                let (seconds, attoseconds) = barrier.components
                let milliseconds =
                    max(0, min(seconds, 3_600)) * 1_000
                    + max(0, attoseconds) / 1_000_000_000_000_000
                if try self.barrier(within: CInt(clamping: milliseconds)) { return }
            } catch {
                throw ActivationError(
                    .notDelivered,
                    "cannot tell the service manager: NOTIFY_SOCKET=\(path): \(error)")
            }
            throw ServiceManager.silence(barrier ?? .zero)
        }
    }
}
#endif
