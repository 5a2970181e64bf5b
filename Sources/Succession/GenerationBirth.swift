// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport
import Synchronization
import SystemPackage

/// How a generation begins.
enum GenerationBirth {
    static func begin(
        _ service: String, configuration: GenerationConfiguration
    ) async throws(SuccessionError) -> Generation {
        guard RuntimeDirectory.isValidServiceName(service) else {
            throw SuccessionError(
                .invalidServiceName,
                "'\(service)' is no service name: letters, digits and punctuation without '/' or spaces, not beginning with '.' or '-'"
            )
        }
        try ProcessOne.standAside(for: service, configuration)
        let channel = takeChannel()
        do {
            try ReadinessLoop.shared.start()
        } catch {
            throw .system("cannot start the control thread", error)
        }
        guard let channel else {
            return try await first(
                service, configuration, OwnProgram.current(), locate(service, configuration))
        }
        // Both at once: the control thread takes what is offered, this one sees to the rest.
        let succeeding = Succeeding(
            channel: channel.channel, standardError: channel.standardError,
            configuration: configuration)
        Task { @ControlThread in succeeding.beginTaking() }
        let program = OwnProgram.current()
        let directory: RuntimeDirectory
        do {
            directory = try locate(service, configuration)
        } catch {
            await succeeding.refuse(Failure(code: .application, reason: error.description))
            throw error
        }
        do {
            return try await withTaskExecutorPreference(ReadinessLoop.shared) {
                () async throws(SuccessionError) in
                try await succeed(service, configuration, program, directory, succeeding)
            }
        } catch {
            // It is heard only if nothing was said before.
            await succeeding.refuse(Failure(code: .application, reason: error.description))
            throw error
        }
    }

    /// The channel from the environment, if this process was started by a predecessor.
    private static func takeChannel() -> (
        channel: OwnedDescriptor, standardError: OwnedDescriptor?
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
        guard let channel = take("SUCCESSION_CHANNEL") else { return nil }
        try? Syscall.setNonBlocking(channel.rawValue, true)
        return (channel, standardError)
    }

    static func locate(
        _ service: String, _ configuration: GenerationConfiguration
    ) throws(SuccessionError) -> RuntimeDirectory {
        if RuntimeDirectory.isOfTheSystem(service, explicit: configuration.runtimeDirectory) {
            throw SuccessionError(
                .invalidServiceName,
                "'\(service)' cannot be the name of a service: /run/\(service) is the system's; choose another, or set SUCCESSION_RUNTIME_DIRECTORY"
            )
        }
        guard
            let directory = RuntimeDirectory.locate(
                service: service, explicit: configuration.runtimeDirectory)
        else {
            throw SuccessionError(
                .runtimeDirectory,
                "no runtime directory: set SUCCESSION_RUNTIME_DIRECTORY or XDG_RUNTIME_DIR")
        }
        do {
            try directory.prepare()
        } catch {
            let why =
                error == .notPermitted
                ? "\(directory.ownership) it must belong to uid \(ProcessEnvironment.effectiveUserID) or root, and nobody else may write to it"
                : "it cannot be made or used"
            throw SuccessionError(
                .runtimeDirectory, "runtime directory \(directory.path): \(why)", cause: error)
        }
        return directory
    }

    // MARK: A successor

    @ControlThread
    private static func succeed(
        _ service: String, _ configuration: GenerationConfiguration, _ program: OwnProgram,
        _ directory: RuntimeDirectory, _ succeeding: Succeeding
    ) async throws(SuccessionError) -> Generation {
        let legacy = try await succeeding.inherit()
        guard legacy.service == service else {
            let reason =
                "this program is '\(service)', and was started to succeed '\(legacy.service)'"
            succeeding.refuse(Failure(code: .application, reason: reason))
            throw SuccessionError(.refused, reason)
        }
        let core = try GenerationCore(
            service: service, number: legacy.generation, configuration: configuration,
            program: program, directory: directory, lock: legacy.lock, succeeding: succeeding)
        core.holdings.withLock { holdings in
            holdings.inheritance = Inheritance(legacy.inherited)
            holdings.inheritedState = legacy.state
        }
        succeeding.forgetLegacy()
        try core.start(stored: legacy.stored)
        return Generation(core: core, succeeding: succeeding)
    }

    // MARK: The first of its line

    @ControlThread
    private static func first(
        _ service: String, _ configuration: GenerationConfiguration, _ program: OwnProgram,
        _ directory: RuntimeDirectory
    ) async throws(SuccessionError) -> Generation {
        let lock: OwnedDescriptor?
        do {
            lock = try directory.takeLock()
        } catch {
            throw .system("cannot lock \(directory.lockPath)", error)
        }
        guard let lock else { throw alreadyServed(service, directory) }
        let activated = try activation()
        // A generation that still drains after its successor died keeps its number and its socket.
        let number = (directory.removeStale().last ?? 0) + 1
        let core = try GenerationCore(
            service: service, number: number, configuration: configuration, program: program,
            directory: directory, lock: lock, succeeding: nil)
        core.holdings.withLock { $0.inheritance = Inheritance(activated.inherited) }
        try core.start(stored: activated.stored, stale: activated.stale)
        return Generation(core: core, succeeding: nil)
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
        do {
            return Activation(try ListenDescriptors.take())
        } catch {
            throw SuccessionError(.activation, "\(error)")
        }
    }
}
