// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SuccessionSystem
import Synchronization
import SystemPackage
import Testing

@testable import Succession

@Suite(.serialized) struct AcceptTests {
    private func listener(_ address: String = "tcp:127.0.0.1:0") throws -> Listener {
        try ReadinessLoop.shared.start()
        let wanted = try ListenAddress(address)
        let bound = try Binder.bind(wanted, name: "test", options: BindOptions())
        return Listener(
            name: "test", address: bound.address, origin: .bound, backlog: bound.backlog,
            descriptor: bound.descriptor, isBoundHere: true, connections: ConnectionRegistry())
    }

    private func connect(_ listener: Listener) throws -> OwnedDescriptor {
        let client = try Syscall.openSocket(
            family: listener.address.socketAddress.socketFamily, type: .stream, nonBlocking: false)
        try Syscall.connect(client.rawValue, to: listener.address.socketAddress)
        return client
    }

    @Test func accept_whenPaused_leavesTheConnectionInTheQueue() async throws {
        let listener = try listener()
        let client = try connect(listener)
        async let connection = listener.accept()
        // Nothing is taken while it is paused: the queue of the listener still holds the one
        // connection.
        #expect(
            try Syscall.poll(
                listener.descriptor.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 0))
        try await listener.resumeAccepting()
        #expect(try await connection != nil)
        #expect(
            try !Syscall.poll(
                listener.descriptor.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 0))
        withExtendedLifetime(client) {}
    }

    /// An application's adapter may block; an operator must be answered all the same.
    @Test(.timeLimit(.minutes(1)))
    func resume_ofAnAcceptorThatBlocks_leavesTheControlThreadFree() async throws {
        let listener = try listener()
        let acceptor = BlockingAcceptor()
        listener.attach(acceptor)
        let resumed = OneShot<Void>()
        await ControlThread.begin {
            try? await listener.resumeAccepting()
            resumed.fulfil(())
        }
        await acceptor.hasBegun.value()
        // Hangs if the control thread is the one that is blocked.
        await Task { @ControlThread in }.value
        acceptor.mayGoOn.signal()
        await resumed.value()
    }

    /// Else a drain could see no open connection between the two, and the process would leave.
    @Test func pause_whileAConnectionIsTaken_waitsUntilItIsCounted() throws {
        let listener = try listener()
        let registry = ConnectionRegistry()
        listener.gate.set(.open)
        let client = try connect(listener)
        let paused = try Syscall.eventDescriptor()
        let attempt = listener.gate.attempt(listener.descriptor) { connection, peer in
            try? startThread(name: "pause") {
                listener.gate.set(.paused)
                Syscall.signalEvent(paused.rawValue)
            }
            let isPaused = try? Syscall.poll(
                paused.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 200)
            #expect(isPaused == false)
            return registry.adopt(connection, peer: peer, protocol: "tcp")
        }
        #expect(
            try Syscall.poll(paused.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000))
        #expect(registry.count == 1)
        withExtendedLifetime((client, attempt)) {}
    }

    /// O_NONBLOCK is shared, and any process that has the socket may clear it.
    @Test func accept_whenSomebodyClearedNonBlocking_neverBlocks() throws {
        let listener = try listener()
        listener.gate.set(.open)
        let shared = try listener.descriptor.duplicate()
        try Syscall.setNonBlocking(shared.rawValue, false)
        let done = try Syscall.eventDescriptor()
        try startThread(name: "accept") {
            let attempt = listener.gate.attempt(listener.descriptor) { _, _ in fatalError() }
            guard case .queueEmpty = attempt else { return }
            Syscall.signalEvent(done.rawValue)
        }
        #expect(
            try Syscall.poll(done.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 5_000))
    }

    /// For a race between two that accept, in which the queue is empty all the same.
    @Test func accept_whenSomebodyClearedNonBlocking_setsItAgain() throws {
        let listener = try listener()
        let registry = ConnectionRegistry()
        listener.gate.set(.open)
        let client = try connect(listener)
        try Syscall.setNonBlocking(listener.descriptor.rawValue, false)
        let attempt = listener.gate.attempt(listener.descriptor) {
            registry.adopt($0, peer: $1, protocol: "tcp")
        }
        guard case .accepted = attempt else { return #expect(Bool(false), "\(attempt)") }
        #expect(throws: Errno.resourceTemporarilyUnavailable) {
            _ = try Syscall.accept(listener.descriptor.rawValue)
        }
        withExtendedLifetime(client) {}
    }

    @Test func accept_whenStopped_returnsNilToEveryone() async throws {
        let listener = try listener()
        try await listener.resumeAccepting()
        await withTaskGroup { group in
            for _ in 0..<10 { group.addTask { (try? await listener.accept()) == nil } }
            await listener.stopAccepting()
            for await isNil in group { #expect(isNil) }
        }
    }

    @Test func accept_whenTaskIsCancelled_returnsNil() async throws {
        let listener = try listener()
        try await listener.resumeAccepting()
        let task = Task { try await listener.accept() == nil }
        task.cancel()
        #expect(try await task.value)
    }

    @Test func accept_afterPauseAndResume_goesOn() async throws {
        let listener = try listener()
        for _ in 0..<20 {
            try await listener.resumeAccepting()
            let client = try connect(listener)
            #expect(try await listener.accept() != nil)
            try await listener.pauseAccepting()
            withExtendedLifetime(client) {}
        }
    }

    @Test func accept_onUnixListener_hasNoPeerName() async throws {
        let listener = try listener("unix:@succession-accept-\(ProcessEnvironment.processID)")
        try await listener.resumeAccepting()
        let client = try connect(listener)
        let connection = try #require(try await listener.accept())
        #expect(connection.peer.isEmpty)
        withExtendedLifetime(client) {}
    }

    @Test func bind_whenAddressIsTaken_namesIt() throws {
        let first = try listener()
        #expect {
            try Binder.bind(first.address, name: "again", options: BindOptions())
        } throws: { error in
            guard let error = error as? SuccessionError else { return false }
            return error.code == .addressInUse && error.message.contains("\(first.address)")
        }
    }

    @Test(arguments: ["file", "directory", "link"])
    func bind_whenSomethingElseIsAtThePath_namesIt(kind: String) throws {
        let path = "/tmp/succession-obstacle-\(UInt32.random(in: 0 ... .max))"
        switch kind {
        case "file": _ = try Syscall.open(path, [.writeOnly, .create], mode: 0o600)
        case "directory": try Syscall.makeDirectory(path, mode: 0o700)
        default: try Syscall.symbolicLink(to: path + ".nowhere", at: path)
        }
        defer {
            if kind == "directory" {
                try? Syscall.removeDirectory(path)
            } else {
                try? Syscall.unlink(path)
            }
        }
        #expect {
            try Binder.bind(try .unix(path), name: "a", options: BindOptions())
        } throws: { error in
            guard let error = error as? SuccessionError else { return false }
            return error.code == .addressInUse && error.message.contains(kind)
                && error.message.contains("at \(path)")
        }
    }

    /// Whatever the umask is, which the whole process has.
    @Test(arguments: [0o600, 0o620, 0o666, 0o777] as [UInt32])
    func bind_toAPath_hasTheModeThatIsAskedFor(mode: UInt32) throws {
        let path = "/tmp/succession-mode-\(UInt32.random(in: 0 ... .max))"
        defer { try? Syscall.unlink(path) }
        _ = try Binder.bind(
            try .unix(path), name: "a", options: BindOptions(unixMode: mode))
        #expect(try Syscall.linkStatus(path).mode == mode)
    }

    /// In a directory that others may write, the path is theirs as soon as it is there.
    @Test func bind_whileThePathIsExchangedForALink_leavesItsTargetAlone() throws {
        let directory = "/tmp/succession-race-\(UInt32.random(in: 0 ... .max))"
        try Syscall.makeDirectory(directory, mode: 0o700)
        let (path, link, target) = (directory + "/s", directory + "/l", directory + "/target")
        _ = try Syscall.open(target, [.writeOnly, .create], mode: 0o600)
        let isOver = Atomic(false)
        let done = try Syscall.eventDescriptor()
        try startThread(name: "exchange") {
            while !isOver.load(ordering: .relaxed) {
                try? Syscall.symbolicLink(to: target, at: link)
                while (try? Syscall.linkStatus(path))?.isSocket != true,
                    !isOver.load(ordering: .relaxed)
                {}
                try? Syscall.rename(link, path)
            }
            Syscall.signalEvent(done.rawValue)
        }
        for _ in 0..<300 {
            _ = try? Binder.bind(try .unix(path), name: "a", options: BindOptions())
            try? Syscall.unlink(path)
        }
        isOver.store(true, ordering: .relaxed)
        _ = try Syscall.poll(done.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000)
        #expect(try Syscall.linkStatus(target).mode == 0o600)
        for entry in [path, link, target] { try? Syscall.unlink(entry) }
        try? Syscall.removeDirectory(directory)
    }

    @Test func bind_withReusePort_allowsTwo() throws {
        let options = BindOptions(reusesPort: true)
        let first = try Binder.bind(
            try ListenAddress("tcp:127.0.0.1:0"), name: "a", options: options)
        let second = try Binder.bind(first.address, name: "a", options: options)
        #expect(second.address == first.address)
    }

    @Test(arguments: [
        "tcp:127.0.0.1:0", "tcp:[::1]:0", "tcp:0", "udp:127.0.0.1:0", "unix:@succession-kinds",
        "unix-dgram:@succession-kinds-d", "unix-seqpacket:@succession-kinds-s",
    ])
    func bind_eachKind_isWhatWasAskedFor(text: String) throws {
        let wanted = try ListenAddress(text)
        let bound = try Binder.bind(wanted, name: "kind", options: BindOptions())
        #expect(wanted.matches(bound.address))
    }
}

private final class BlockingAcceptor: Acceptor {
    let hasBegun = OneShot<Void>()
    let mayGoOn = DispatchSemaphore(value: 0)

    func resume() async throws {
        hasBegun.fulfil(())
        block()
    }

    private func block() { mayGoOn.wait() }

    func pause() async throws {}

    func stop() async {}
}
