// SPDX-License-Identifier: Apache-2.0

import Succession
import SuccessionSystem
import SystemPackage

/// Answers each connection with `gen=<pid>` and then echoes; prints `ready <generation> <pid>` when
/// it serves.
struct EchoServer {
    let options: Options

    init(_ options: Options) {
        self.options = options
    }

    func run() async throws {
        if options.fault == .exitAtOnce { throw UsageError("told to exit at once") }
        if let limit = options.openFilesLimit { try ResourceLimit.setOpenFiles(limit) }
        var configuration = GenerationConfiguration()
        configuration.drainDeadline = options.drain
        configuration.exitGrace = options.exitGrace
        if let maximum = options.maximumGenerations {
            configuration.maximumGenerations = maximum
        }
        if let signal = options.upgradeSignal {
            configuration.signals[.init(rawValue: signal)] = .upgrade
        }
        if let signal = options.reloadSignal {
            configuration.signals[.init(rawValue: signal)] = .reload
        }
        let fault = options.fault
        configuration.onStep = { fault.happen(at: $0) }
        if options.isScoped {
            return try await Generation.run(options.service, configuration: configuration) {
                try await serve(as: $0)
            }
        }
        let generation = try await Generation.begin(options.service, configuration: configuration)
        try await serve(as: generation)
        await generation.drained()
    }

    private func serve(as generation: Generation) async throws {
        let fault = options.fault
        if fault == .refuse { throw await generation.refuse("this state is not for me") }
        try StatePattern.check(generation.inheritedState, size: options.stateSize)
        if let size = options.stateSize {
            generation.handOver { writer in
                fault.happen(at: "writing state")
                try StatePattern.write(size, to: &writer)
            }
        }
        let listeners = try makeListeners(generation)
        if let acceptor = FaultyAcceptor(fault) { listeners.first?.attach(acceptor) }
        if let name = options.kept {
            _ = try generation.descriptor(name) {
                let file = try MemoryFile.create(name: name, allowSealing: false)
                return FileDescriptor(rawValue: file.relinquish())
            }
        }
        let others = try options.taken.map { name in
            try generation.descriptor(name) { throw UsageError("nobody passed '\(name)'") }
        }
        if options.tellsHoldings {
            for listener in listeners {
                tell(listener.name, listener.origin, "\(listener.address)") {
                    listener.withUnsafeDescriptor($0)
                }
            }
            for other in others {
                tell(other.name, other.origin, "other") { other.withUnsafeDescriptor($0) }
            }
        }
        if fault == .neverReady { try await Task.sleep(for: .seconds(3_600)) }
        if case .holdReady(let fifo) = fault { Fault.wait(at: fifo) }
        if let answer = options.reload {
            let reloads = generation.reloads
            Task { await answer.give(to: reloads) { announce($0) } }
        }
        var hoard: [OwnedDescriptor] = []
        while options.hoards, let one = try? Syscall.eventDescriptor() { hoard.append(one) }
        defer { withExtendedLifetime(hoard) {} }
        try await generation.ready()
        announce("ready \(generation.number) \(ProcessEnvironment.processID)\n")
        await serve(listeners)
    }

    private func makeListeners(_ generation: Generation) throws -> [Listener] {
        var listeners: [Listener] = []
        for (name, address) in options.listeners {
            listeners.append(try generation.listener(name, orBind: address))
        }
        for (count, place) in options.many {
            for index in 0..<count {
                let address =
                    place == "tcp" ? "tcp:127.0.0.1:0" : "unix:\(place)/\(index).sock"
                listeners.append(
                    try generation.listener(
                        "\(place == "tcp" ? "tcp" : "unix")-\(index)",
                        orBind: try ListenAddress(address)))
            }
        }
        return listeners
    }

    private func serve(_ listeners: [Listener]) async {
        await withDiscardingTaskGroup { group in
            for listener in listeners {
                group.addTask {
                    await withDiscardingTaskGroup { connections in
                        while let connection = try? await listener.accept() {
                            connections.addTask { await echo(connection) }
                        }
                    }
                }
            }
        }
    }
}

/// One line: name, origin, address, and what the descriptor is to the kernel.
private func tell(
    _ name: String, _ origin: Listener.Origin, _ address: String,
    lending: ((FileDescriptor) -> String) -> String
) {
    let link = lending { (try? Syscall.readLink("/proc/self/fd/\($0.rawValue)")) ?? "?" }
    announce("holds \(name) \(origin) \(address) \(link)\n")
}

private func announce(_ line: String) {
    try? Syscall.writeAll(1, Array(line.utf8))
}

private func echo(_ connection: Connection) async {
    do {
        try await connection.write(Array("gen=\(ProcessEnvironment.processID)\n".utf8))
        while true {
            let bytes = try await connection.read()
            if bytes.isEmpty { return connection.close() }
            try await connection.write(bytes)
        }
    } catch {
        connection.close()
    }
}
