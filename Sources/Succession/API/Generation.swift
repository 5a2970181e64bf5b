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
    /// Returns when everything that can be inherited is here. Call it before the process has other
    /// threads that read the environment, for it removes `SUCCESSION_CHANNEL` from it. Throws
    /// ``SuccessionError/Code/alreadyServed`` if another process serves `service`, with the pid and
    /// the command by which it is upgraded.
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
    /// What this generation is doing now.
    public var state: GenerationState { core.states.current }
    /// The present state and every later one, for each caller anew.
    public var states: AsyncStream<GenerationState> { core.states.stream() }

    /// Takes the listener of this name from what was inherited, or binds it.
    ///
    /// Several listeners may share a name if their addresses differ. A service manager's socket is
    /// taken wherever it listens, as long as it is of the same kind: there the unit decides; one of
    /// another name is taken if its address is exactly this one. A predecessor's listener at another address is left over and the new address is bound. Call it
    /// before ``ready()``; what nobody has taken by then is closed and reported.
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
    /// Returns when every listener accepts. Throws if the predecessor called the upgrade off or was
    /// silent for too long: leave then, it serves on. Throws ``SuccessionError/Code/invalidState`` when
    /// it is called a second time.
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
    /// Returns the error to leave the program with. The operator is shown `reason`. Without a
    /// predecessor nobody is told.
    @concurrent
    public func refuse(_ reason: String) async -> SuccessionError {
        await successorDriver?.refuse(Failure(code: .state, reason: reason))
        return SuccessionError(.refused, reason)
    }

    /// Has `provide` write what the successor gets as ``inheritedState``, at the beginning of each
    /// upgrade.
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

    /// Returns when this generation has stopped accepting for good: a successor serves, or a signal
    /// or an operator asked.
    ///
    /// Also returns when the task is cancelled.
    @concurrent
    public func draining() async {
        for await state in states {
            if case .draining = state { return }
        }
    }

    /// Returns when this generation drains and no connection is open, at the latest soon after the
    /// deadline.
    @concurrent
    public func drained() async {
        await core.untilDrained()
    }

    /// Starts a successor, as `swapctl upgrade` without options does; returns at once, and the
    /// outcome is an event.
    @concurrent
    public func upgrade() async {
        await core.upgrade(LaunchPlan(), session: nil)
    }

    /// Stops accepting for good, without a successor; returns at once.
    ///
    /// `deadline` is when what is open is cut; nil is what the configuration says.
    @concurrent
    public func drain(deadline: Duration? = nil) async {
        await core.beginDrain(deadline: deadline)
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
    /// refused; of several loops the oldest gets them. Ends when this generation drains.
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
