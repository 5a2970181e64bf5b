// SPDX-License-Identifier: Apache-2.0

import Synchronization
import SuccessionActivation
import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
public import SystemPackage

/// One run of a service: it inherits listeners or binds them, serves, and hands them to its
/// successor.
///
/// ```swift
/// let generation = try await Generation.begin("web")
/// let http = try generation.listener("http", orBind: .tcp("0.0.0.0", 8080))
/// // build the server on `http` …
/// try await generation.ready()
/// await generation.draining()
/// // stop what is not a listener, finish, return from main
/// ```
///
/// A process has one generation of a service. Its control socket answers from
/// ``begin(_:configuration:)`` on.
public final class Generation: Sendable {
    let core: GenerationCore
    /// Nil for the first of its line.
    private var successorDriver: SuccessorDriver? { core.successorDriver }

    init(core: GenerationCore) {
        self.core = core
    }

    /// Begins a generation: as the successor of the one that started this process, with the service
    /// manager's sockets, or as the first of its line.
    ///
    /// Returns when everything that can be inherited is here; cancelling the task does not end it.
    /// Call it before the process has other threads that read the environment, for it removes
    /// `SUCCESSION_CHANNEL` from it. As process 1 it may not return: see
    /// ``GenerationConfiguration/Foreground/automatic``.
    ///
    /// Throws ``SuccessionError/Code/alreadyServed`` if another process serves `service`, with the pid
    /// and the command by which it is upgraded; ``SuccessionError/Code/invalidServiceName``,
    /// ``SuccessionError/Code/runtimeDirectory``, ``SuccessionError/Code/activation`` for what the
    /// service manager gave, and ``SuccessionError/Code/handoverFailed`` for what a predecessor did not
    /// send. ``run(_:configuration:_:)`` begins a generation and drains it at the end.
    ///
    /// - Parameter service: what operators call it: the name of a directory, without `/`.
    @concurrent
    public static func begin(
        _ service: String, configuration: GenerationConfiguration = GenerationConfiguration()
    ) async throws(SuccessionError) -> Generation {
        Generation(
            core: try await GenerationBootstrap.begin(service, configuration: configuration))
    }

    /// The name of the service.
    public var service: String { core.service }
    /// The number of this generation, from 1.
    public var number: Int { core.number }
    /// What the predecessor left besides descriptors; nil if there was none, if it left nothing,
    /// and after ``ready()``.
    ///
    /// Let go of it once it has been read: a large state occupies memory for as long as it is held.
    public var inheritedState: HandedState? { core.shared.withLock { $0.inheritedState } }
    /// The open connections.
    public var connections: ConnectionRegistry { core.connections }
    /// What this generation is doing now; it may be doing something else when the caller looks.
    public var state: GenerationState { core.states.current }
    /// The present state and every later one, for each caller anew.
    ///
    /// None is left out, so a slow reader hears of states that are over. It does not end by itself; a
    /// loop over it ends when its task is cancelled.
    public var states: AsyncStream<GenerationState> { core.states.stream() }

    /// Takes the listener of this name from what was inherited, or binds it.
    ///
    /// Several listeners may share a name if their addresses differ. A service manager's socket is
    /// taken wherever it listens, as long as it is of the same kind: there the unit decides; one of
    /// another name is taken if its address is exactly this one. A predecessor's listener at another
    /// address is left over and the new address is bound. Call it before ``ready()``; what nobody has
    /// taken by then is closed and reported.
    ///
    /// Throws ``SuccessionError/Code/inheritedTypeMismatch`` if the service manager's socket of this
    /// name is of another kind, ``SuccessionError/Code/invalidState`` after ``ready()``, and
    /// ``SuccessionError/Code/addressInUse`` or what else keeps it from being bound.
    public func listener(
        _ name: String, orBind address: ListenAddress, options: BindOptions = BindOptions()
    ) throws(SuccessionError) -> Listener {
        do {
            return try take(name, address, options)
        } catch {
            successorDriver?.mention("\(error)")
            throw error
        }
    }

    private func take(
        _ name: String, _ address: ListenAddress, _ options: BindOptions
    ) throws(SuccessionError) -> Listener {
        try check(name)
        let match = core.shared.withLock { $0.inheritance.take(name, at: address) }
        switch match {
        case .taken(let inherited):
            return keep(inherited, as: name)
        case .otherKind(let other):
            let hint =
                other.isConnection
                ? "it is a connection, as of a socket unit with Accept=yes: set Accept=no"
                : "change the socket unit or the name"
            throw SuccessionError(
                .inheritedTypeMismatch,
                "'\(name)' was given by the service manager as \(other.address), but \(address) is asked for: \(hint)"
            )
        case .none:
            let bound: Binder.Bound
            do {
                bound = try Binder.bind(address, name: name, options: options)
            } catch {
                throw explain(error, name, address)
            }
            return keep(
                Inherited(
                    name: name, address: bound.address, origin: .bound, backlog: bound.backlog,
                    descriptor: bound.descriptor), as: name, isBoundHere: true)
        }
    }

    /// Takes the descriptor of this name from what was inherited, or has it made; it goes on to
    /// every successor.
    ///
    /// For descriptors that are not listeners: a pipe, a timer, a device. The generation owns what
    /// `make` returns. Call it before ``ready()``; what nobody has taken by then is closed and
    /// reported. Throws ``SuccessionError/Code/invalidName`` for a name that a socket unit cannot
    /// give, ``SuccessionError/Code/invalidState`` after ``ready()``, and what `make` throws.
    public func descriptor(
        _ name: String, orMake make: () throws -> FileDescriptor
    ) throws -> InheritedDescriptor {
        try check(name)
        let wanted = ListenAddress(kind: .other, socketAddress: .unixUnnamed)
        if case .taken(let inherited) = core.shared.withLock({
            $0.inheritance.takeAny(name)
        }) {
            return InheritedDescriptor(keep(inherited, as: name))
        }
        let made = OwnedDescriptor(taking: try make().rawValue)
        return InheritedDescriptor(
            keep(
                Inherited(
                    name: name, address: wanted, origin: .bound, backlog: 0, descriptor: made),
                as: name))
    }

    /// Says that the server is built: this generation accepts from now on, and a predecessor
    /// drains.
    ///
    /// Returns when every listener accepts. What was inherited and not taken is closed and reported;
    /// that is no error. Throws ``SuccessionError/Code/aborted`` if the predecessor called the upgrade
    /// off or the generation was told to leave, and ``SuccessionError/Code/handoverFailed`` if the
    /// predecessor was lost or silent for too long before it let go: leave then, it serves on. Throws
    /// ``SuccessionError/Code/invalidState`` when it is called a second time.
    ///
    /// It is the point of no return, so cancelling the task does not end it: check for cancellation
    /// before, or call ``refuse(_:)``.
    @concurrent
    public func ready() async throws(SuccessionError) {
        do {
            try await core.ready()
        } catch {
            successorDriver?.mention("\(error)")
            throw error
        }
    }

    /// Refuses to succeed, because the state or the configuration will not do; the predecessor
    /// serves on.
    ///
    /// Returns the error to leave the program with; throw it. Without a predecessor nobody is told,
    /// and after ``ready()`` it changes nothing. Cancelling the task changes nothing.
    ///
    /// - Parameter reason: one sentence, which the operator is shown.
    @concurrent
    public func refuse(_ reason: String) async -> SuccessionError {
        await successorDriver?.refuse(Failure(code: .state, reason: reason))
        return SuccessionError(.refused, reason)
    }

    /// Has `provide` write what the successor gets as ``inheritedState``, at the beginning of each
    /// upgrade.
    ///
    /// It is called on a thread of the pool and may block; an upgrade for which it throws, or takes too
    /// long, fails, and this generation serves on.
    /// A second call replaces the first.
    public func handOver(_ provide: @escaping @Sendable (inout StateWriter) throws -> Void) {
        core.shared.withLock { $0.stateProvider = provide }
    }

    /// Has the service manager told that this generation is alive only while `health` says so
    /// (`WatchdogSec=`).
    ///
    /// It is asked three times in each interval, while this generation is the main process of its
    /// unit, and has a third of the interval to answer; while an answer is out it is not asked
    /// again. Without a health check every ping is sent as long as the control thread runs. Without
    /// a watchdog it is never asked.
    public func watchdog(health: @escaping @Sendable () async -> Bool) {
        core.shared.withLock { $0.healthCheck = health }
    }

    /// Returns when this generation has stopped accepting for good: a successor serves, or a signal,
    /// an operator or the application asked.
    ///
    /// At once if it drains already. Also returns when the task is cancelled: ``state`` tells which.
    @concurrent
    public func draining() async {
        for await state in states {
            if case .draining = state { return }
        }
    }

    /// Returns when this generation drains and no connection is open, at the latest soon after the
    /// deadline.
    ///
    /// Also returns, at once, when the task is cancelled, whether the generation serves or drains;
    /// neither is changed by that. Return from `main` afterwards: what is not counted as a connection
    /// is the caller's to wait for.
    @concurrent
    public func drained() async {
        let isOver = OneShot<Void>()
        // On the control thread: the pool makes its threads when the first task begins there, and a
        // successor answers its first clients at that moment, perhaps on the same processor.
        let wait = Task(executorPreference: ReadinessLoop.shared) { [core] in
            await core.untilDrained()
            isOver.fulfil(())
        }
        await withTaskCancellationHandler {
            await isOver.value()
        } onCancel: {
            wait.cancel()
            isOver.fulfil(())
        }
    }

    /// Starts a successor, as `swapctl upgrade` without options does; returns at once, and the
    /// outcome is an event.
    ///
    /// A successor that cannot be started is no error here: ``SuccessionEvent/Kind/upgradeFailed(code:successor:duration:)``
    /// or ``SuccessionEvent/Kind/upgradeRefused(code:)`` tells. Cancelling the task changes nothing;
    /// `swapctl abort` calls an upgrade off.
    @concurrent
    public func upgrade() async {
        await core.upgrade(LaunchPlan(), session: nil)
    }

    /// Stops accepting for good, without a successor; returns at once.
    ///
    /// Calls off an upgrade that runs, and drains when that is over. In a generation that drains
    /// already it brings the deadline forward; a later one changes nothing. Cancelling the task changes
    /// nothing.
    ///
    /// - Parameter deadline: how long from now until what is open is cut; nil is
    ///   ``GenerationConfiguration/drainDeadline``.
    @concurrent
    public func drain(deadline: Duration? = nil) async {
        await core.leave(deadline: deadline)
    }

    /// Requests to read the configuration again: from `swapctl reload`, and from the signals that
    /// mean it.
    ///
    /// ```swift
    /// for await request in generation.reloads {
    ///     do { settings.replace(by: try Settings(path)); request.accept() }
    ///     catch { request.refuse("\(error)") }
    /// }
    /// ```
    ///
    /// They come one at a time: the next when the last has been answered. Without a loop they are
    /// refused; of several loops the oldest gets them. Ends when this generation drains, and for a loop
    /// whose task is cancelled: it counts as one that is not there.
    public var reloads: AsyncStream<ReloadRequest> { core.reloadStreams.stream() }

    /// Adds what is known here of an address that cannot be bound.
    private func explain(
        _ error: SuccessionError, _ name: String, _ address: ListenAddress
    ) -> SuccessionError {
        let (own, given) = core.shared.withLock { shared in
            (
                shared.listeners.first { address.matches($0.address) }?.name,
                shared.inheritance.givenText
            )
        }
        if error.code == .addressInUse, let own {
            return SuccessionError(
                .addressInUse,
                "cannot listen on \(address) for '\(name)': this generation has taken it already, as '\(own)'; ask once and keep the listener",
                cause: error.cause)
        }
        if given.isEmpty { return error }
        return SuccessionError(
            error.code,
            "\(error.message); the service manager gave \(given), which nobody has taken: ask for it by its name (FileDescriptorName= of the socket unit) or address",
            cause: error.cause)
    }

    func check(_ name: String) throws(SuccessionError) {
        try checkCharacters(of: name)
        guard core.shared.withLock({ !$0.isReady }) else {
            throw SuccessionError(
                .invalidState,
                "'\(name)' is asked for after ready(): what was inherited has been closed by then")
        }
    }

    func checkCharacters(of name: String) throws(SuccessionError) {
        // The rules of systemd's FDNAME=, so that every name can also be a socket unit's.
        let isValid =
            ServiceManager.canStore(named: name) && name != "-" && name != StoreRecord.name
        guard isValid else {
            throw SuccessionError(
                .invalidName,
                "'\(name)' cannot name a listener: at most 255 printable ASCII characters, no ':', not '-'"
            )
        }
    }

    private func keep(
        _ inherited: Inherited, as name: String, isBoundHere: Bool = false
    ) -> Listener {
        let listener = Listener(
            name: name, address: inherited.address, origin: inherited.origin,
            backlog: inherited.backlog, descriptor: inherited.descriptor,
            isBoundHere: isBoundHere, isStored: inherited.isStored && inherited.name == name,
            connections: core.connections
        ) { [weak core] message in
            Task { @ControlThread in core?.report(.warning, message) }
        }
        core.shared.withLock { shared in
            shared.listeners.append(listener)
            // Renamed: the manager has it under a name by which nobody will ask.
            if inherited.isStored, inherited.name != name {
                shared.formerNames.insert(inherited.name)
            }
        }
        return listener
    }
}
