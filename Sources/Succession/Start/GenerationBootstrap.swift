// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization
import SystemPackage

/// How a generation begins.
enum GenerationBootstrap {
    static func begin(
        _ service: String, configuration: GenerationConfiguration
    ) async throws(SuccessionError) -> GenerationCore {
        guard RuntimeDirectory.isValidServiceName(service) else {
            throw SuccessionError(
                .invalidServiceName,
                "'\(service)' is no service name: letters, digits and punctuation without '/' or spaces, not beginning with '.' or '-'"
            )
        }
        // Before anything is opened here.
        Syscall.fillStandardStreams()
        try ProcessOne.standAside(for: service, configuration)
        let channel = takeChannel()
        do {
            try ReadinessLoop.shared.start()
        } catch {
            throw .system("cannot start the control thread", error)
        }
        guard let channel else {
            return try await first(
                service, configuration, OwnProgram.current(),
                RuntimeDirectory.prepared(for: service, configuration))
        }
        // Both at once: the control thread takes what is offered, this one sees to the rest.
        let successorDriver = SuccessorDriver(
            channel: channel.channel, standardError: channel.standardError,
            step: configuration.onStep)
        Task { @ControlThread in successorDriver.beginTaking() }
        let program = OwnProgram.current(path: channel.path)
        let directory: RuntimeDirectory
        do {
            directory = try RuntimeDirectory.prepared(for: service, configuration)
        } catch {
            await successorDriver.refuse(Failure(code: .application, reason: error.description))
            throw error
        }
        do {
            return try await withTaskExecutorPreference(ReadinessLoop.shared) {
                () async throws(SuccessionError) in
                try await succeed(service, configuration, program, directory, successorDriver)
            }
        } catch {
            // It is heard only if nothing was said before.
            await successorDriver.refuse(Failure(code: .application, reason: error.description))
            throw error
        }
    }

    /// The channel from the environment, if this process was started by a predecessor.
    private static func takeChannel() -> (
        channel: OwnedDescriptor, standardError: OwnedDescriptor?, path: String?
    )? {
        func take(_ variable: String) -> OwnedDescriptor? {
            defer { ProcessEnvironment.remove(variable) }
            guard let text = ProcessEnvironment.value(variable), let number = CInt(text), number > 2
            else { return nil }
            do {
                try Syscall.setCloseOnExec(number, true)
            } catch {
                return nil
            }
            return OwnedDescriptor(taking: number)
        }
        let standardError = take("SUCCESSION_STDERR")
        let path = ProcessEnvironment.value("SUCCESSION_EXECUTABLE")
        ProcessEnvironment.remove("SUCCESSION_EXECUTABLE")
        guard let channel = take("SUCCESSION_CHANNEL") else { return nil }
        try? Syscall.setNonBlocking(channel.rawValue, true)
        return (channel, standardError, path.flatMap { $0.hasPrefix("/") ? $0 : nil })
    }

    // MARK: A successor

    @ControlThread
    private static func succeed(
        _ service: String, _ configuration: GenerationConfiguration, _ program: OwnProgram,
        _ directory: RuntimeDirectory, _ successorDriver: SuccessorDriver
    ) async throws(SuccessionError) -> GenerationCore {
        let handed: InheritedResources
        do {
            handed = try await successorDriver.inherit()
        } catch {
            throw SuccessionError(error)
        }
        guard handed.service == service else {
            let reason =
                "this program is '\(service)', and was started to succeed '\(handed.service)'"
            successorDriver.refuse(Failure(code: .application, reason: reason))
            throw SuccessionError(.refused, reason)
        }
        let inherited: [Inherited]
        do throws(Failure) {
            inherited = try Manifest.verify(handed.listeners)
        } catch {
            successorDriver.refuse(error)
            throw SuccessionError(.failed(error))
        }
        let core: GenerationCore
        do {
            core = try GenerationCore(
                service: service, number: handed.generation, configuration: configuration,
                program: program, directory: directory, lock: handed.lock,
                successorDriver: successorDriver)
        } catch {
            successorDriver.refuse(Failure(code: .application, reason: error.description))
            throw error
        }
        core.shared.withLock { shared in
            shared.inheritance = Inheritance(inherited)
            shared.inheritedState = handed.state.map(HandedState.init)
        }
        let stored = handed.stored.map {
            StoredDescriptor(name: $0.name, descriptor: $0.descriptor)
        }
        try core.start(stored: stored)
        return core
    }

    // MARK: The first of its line

    @ControlThread
    private static func first(
        _ service: String, _ configuration: GenerationConfiguration, _ program: OwnProgram,
        _ directory: RuntimeDirectory
    ) async throws(SuccessionError) -> GenerationCore {
        let lock: OwnedDescriptor?
        let isNewLock = (try? Syscall.linkStatus(directory.lockPath)) == nil
        do {
            lock = try directory.takeLock()
        } catch {
            throw .system("cannot lock \(directory.lockPath)", error)
        }
        guard let lock else { throw alreadyServed(service, directory) }
        // A generation that still drains after its successor died keeps its number and its socket.
        let there = directory.removeStale()
        let living = there.filter { directory.isLiving($0) }
        let owner = await SecondLine.owner(of: directory, living: living, isNewLock: isNewLock)
        if let owner {
            // The next start must find it missing, too.
            if isNewLock { try? Syscall.unlink(directory.lockPath) }
            throw SuccessionError(
                .alreadyServed,
                "'\(service)' is already served in \(directory.path): \(owner); end that process, then start this one"
            )
        }
        directory.removeLeftovers(isAlone: true)
        let activated = try activation()
        let number = (there.last ?? 0) + 1
        let core = try GenerationCore(
            service: service, number: number, configuration: configuration, program: program,
            directory: directory, lock: lock, successorDriver: nil)
        core.shared.withLock { $0.inheritance = Inheritance(activated.inherited) }
        try core.start(stored: activated.stored, stale: activated.stale)
        return core
    }

    private static func alreadyServed(
        _ service: String, _ directory: RuntimeDirectory
    ) -> SuccessionError {
        var who = "another process"
        for generation in directory.generations().reversed() {
            if let socket = try? directory.connect(generation),
                let peer = try? PeerCredentials.of(socket.descriptor.rawValue)
            {
                who = "pid \(peer.processID) (generation \(generation))"
                break
            }
        }
        return SuccessionError(
            .alreadyServed,
            "'\(service)' is already served by \(who), in \(directory.path); to replace it: swapctl upgrade \(service)"
        )
    }

    private static func activation() throws(SuccessionError) -> Activation {
        let activation: Activation
        do {
            activation = Activation(try ListenDescriptors.take())
        } catch {
            throw SuccessionError(.activation, "\(error)")
        }
        guard let connection = activation.connection else { return activation }
        let peer = (try? Syscall.peerAddress(connection.descriptor.rawValue)).map { " from \($0)" }
        throw SuccessionError(
            .activation,
            "'\(connection.name)' (descriptor \(connection.descriptor.rawValue)) is a connection\(peer ?? "") and no listener: the socket unit has Accept=yes, which starts a process for each client; set Accept=no"
        )
    }
}
