// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import Synchronization
import SystemPackage
import Testing

extension SystemTests {
    @Suite struct LaunchTests {
        /// What the completion was called with.
        private final class Outcome: Sendable {
            let result = Mutex<Result<ProcessHandle, Errno>?>(nil)
            let isThere: (read: OwnedDescriptor, write: OwnedDescriptor)

            init() throws { isThere = try Syscall.pipe(nonBlocking: false) }

            func take(_ result: Result<ProcessHandle, Errno>) {
                self.result.withLock { $0 = result }
                try? Syscall.writeAll(isThere.write.rawValue, [1])
            }

            func value(within milliseconds: CInt = 10_000) throws -> Result<ProcessHandle, Errno>? {
                _ = try Syscall.poll(
                    isThere.read.rawValue, events: Syscall.pollIn,
                    timeoutMilliseconds: milliseconds)
                return result.withLock { $0 }
            }
        }

        /// A script that nobody can open while this process holds a lease on it.
        private func leased(in directory: TemporaryDirectory) throws -> (String, OwnedDescriptor) {
            let path = directory.path + "/program"
            let text = try Syscall.open(path, .readWriteCreate, mode: 0o755)
            try Syscall.writeAll(text.rawValue, Array("#!/bin/sh\nexec sleep 100\n".utf8))
            text.close()
            let file = try Syscall.open(path, .readOnly, mode: 0)
            let (setSignal, setLease): (CInt, CInt) = (10, 1_024)
            try #require(fcntl(file.rawValue, setSignal, SIGURG) == 0)
            try #require(fcntl(file.rawValue, setLease, CInt(F_WRLCK)) == 0)
            return (path, file)
        }

        @Test func launch_whenTheProgramRuns_completesWithIt() throws {
            let outcome = try Outcome()
            let launch = try Launch(SpawnRequest(path: "/bin/true", arguments: ["true"])) {
                outcome.take($0)
            }
            let process = try #require(try outcome.value()).get()
            #expect(!launch.abandon())
            #expect(process.waitForExit(deadline: deadline(seconds: 10)))
            #expect(try process.reap() == .exited(0))
        }

        @Test func launch_whenThereIsNoProgram_completesWithTheError() throws {
            let outcome = try Outcome()
            _ = try Launch(SpawnRequest(path: "/no/where", arguments: ["x"])) { outcome.take($0) }
            let result = try #require(try outcome.value())
            #expect(throws: Errno.noSuchFileOrDirectory) { try result.get() }
        }

        @Test func launch_whenExecveHangs_completesOnceItGoesOn() throws {
            let directory = try TemporaryDirectory()
            let (path, file) = try leased(in: directory)
            let outcome = try Outcome()
            _ = try Launch(SpawnRequest(path: path, arguments: ["x"])) { outcome.take($0) }
            #expect(try outcome.value(within: 300) == nil)
            file.close()
            let process = try #require(try outcome.value()).get()
            try process.signal(SIGKILL)
            #expect(process.waitForExit(deadline: deadline(seconds: 10)))
            #expect(try process.reap() == .signaled(SIGKILL, coreDumped: false))
        }

        /// With a descriptor that only the launch and the new process hold; returns its other end.
        private func launch(_ path: String, _ outcome: Outcome) throws -> (Launch, OwnedDescriptor)
        {
            let pipe = try Syscall.pipe(nonBlocking: false)
            let request = SpawnRequest(
                path: path, arguments: ["x"],
                descriptors: [(source: pipe.write.rawValue, target: 3)])
            let launch = try Launch(request) { [write = pipe.write] in
                outcome.take($0)
                write.close()
            }
            return (launch, pipe.read)
        }

        @Test(arguments: [0, 200] as [CInt])
        func launch_whenAbandoned_leavesNoProcess(after milliseconds: CInt) throws {
            let directory = try TemporaryDirectory()
            let (path, file) = try leased(in: directory)
            let outcome = try Outcome()
            let (launch, end) = try launch(path, outcome)
            #expect(try outcome.value(within: milliseconds) == nil)
            #expect(launch.abandon())
            // Nobody holds the other end any more: neither the half-started process nor the thread.
            #expect(
                try Syscall.poll(
                    end.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000))
            #expect(try outcome.value(within: 300) == nil)
            file.close()
        }
    }
}
