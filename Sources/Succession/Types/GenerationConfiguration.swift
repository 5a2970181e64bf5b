// SPDX-License-Identifier: Apache-2.0

/// How a generation behaves; the defaults are for a server run by a person or a service manager.
public struct GenerationConfiguration: Sendable {
    /// What is done when a signal comes.
    ///
    /// Later versions may add cases: a `switch` in another package needs a `default`.
    #if compiler(>=6.2.3)
    @nonexhaustive
    #endif
    public enum SignalAction: Sendable, Hashable {
        /// Start a successor, as `swapctl upgrade` does.
        case upgrade
        /// Stop accepting, finish, leave.
        case drain
        /// Cut what is open and leave; a second one ends the process at once.
        case stop
        /// Read the configuration again, as `swapctl reload` asks; see ``Generation/reloads``.
        case reload
    }

    /// What is done about a process that waits for this one alone, and would take the end of a
    /// generation for the end of the service.
    ///
    /// Later versions may add cases: a `switch` in another package needs a `default`.
    #if compiler(>=6.2.3)
    @nonexhaustive
    #endif
    public enum Foreground: Sendable, Hashable {
        /// As process 1, the kernel's own waiter, ``Generation/begin(_:configuration:)`` starts this
        /// program once more as a child and does not return: process 1 hands on signals, and leaves
        /// with the status of the last generation. Below another process of that kind an upgrade is
        /// refused, with the way out. See docs/supervision.md.
        case automatic
        /// Nothing; as `SUCCESSION_FOREGROUND=off` in the environment.
        case off
    }

    /// What is done about a process that waits for this one alone.
    public var foreground = Foreground.automatic
    /// Where the control socket lies; nil: found as docs/protocol.md §3 says.
    public var runtimeDirectory: String?
    /// How long a drain may last before what is left is cut.
    public var drainDeadline: Duration = .seconds(30)
    /// How long a successor may take from its start until it is ready.
    public var readyTimeout: Duration = .seconds(60)
    /// How long the application may take to answer a ``ReloadRequest``, unless the operator says
    /// otherwise.
    public var reloadTimeout: Duration = .seconds(30)
    /// How long after the deadline of a drain the process may live on before the library ends it
    /// with status 70, as `_exit` does; nil: for ever, and nothing is ended.
    ///
    /// A program whose `main` returns after ``Generation/drained()`` needs it only against code that
    /// hangs: a service manager ends such a process too, after its own time (`TimeoutStopSec=`), but
    /// only if it was told to stop the service, and not a predecessor that has been succeeded.
    public var exitGrace: Duration?
    /// How many generations of the service may live at once, the successor of an upgrade among them.
    ///
    /// One that would be too many is not started: the upgrade fails. At least 2; nil: any number. Every
    /// old generation that still drains has memory and descriptors of its own.
    public var maximumGenerations: Int? = 4
    /// How many descriptors the service manager keeps for this unit (`FileDescriptorStoreMax=`): the
    /// listeners bound here are among them, so that a crash refuses nobody; 0: none; nil: what
    /// `SUCCESSION_FDSTORE` says, or the manager itself (systemd 254 and later).
    public var descriptorStoreLimit: Int?
    /// What signals to this process do; one that is not in the table is left alone.
    ///
    /// Install nothing else for them, and send none before ``Generation/begin(_:configuration:)``
    /// has returned. SIGHUP is not in it: a daemon maps it to ``SignalAction/reload`` or
    /// ``SignalAction/upgrade``, and a server in a terminal ends with it.
    public var signals: [Signal: SignalAction] = [
        .userDefined2: .upgrade, .terminate: .drain, .interrupt: .stop,
    ]
    /// How often ``SuccessionEvent/Kind/sample(connections:)`` is reported while this generation
    /// serves; nil: never.
    public var sampleInterval: Duration?
    /// Gets every event; the default prints it.
    ///
    /// Called on the control thread, so it must not block for long: operators and deadlines wait
    /// meanwhile.
    public var onEvent: @Sendable (SuccessionEvent) -> Void = {
        SuccessionEvent.printToStandardError($0)
    }

    /// Called at each step of a hand-over, before the next one.
    ///
    /// On the control thread, but for `send hello`. It is the place where fixtures of the test suite
    /// have their one fault.
    package var onStep: @Sendable (String) -> Void = { _ in }

    /// The defaults shown.
    public init() {}
}
