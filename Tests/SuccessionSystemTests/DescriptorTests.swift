// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

extension SystemTests {
    @Suite struct OwnedDescriptorTests {
        private func isOpen(_ raw: CInt) -> Bool {
            (try? Syscall.status(of: raw)) != nil
        }

        @Test func deinit_whenLastOwnerIsGone_closes() throws {
            var descriptor: OwnedDescriptor? = try MemoryFile.create(name: "x", allowSealing: false)
            let raw = try #require(descriptor?.rawValue)
            #expect(isOpen(raw))
            descriptor = nil
            #expect(!isOpen(raw))
        }

        @Test func close_whenCalledTwice_closesOnce() throws {
            let descriptor = try MemoryFile.create(name: "x", allowSealing: false)
            let raw = descriptor.rawValue
            descriptor.close()
            let other = try MemoryFile.create(name: "y", allowSealing: false)
            #expect(other.rawValue == raw)
            descriptor.close()
            #expect(isOpen(raw) && descriptor.rawValue == -1)
        }

        @Test func relinquish_whenCalled_leavesTheDescriptorOpen() throws {
            let raw: CInt
            do {
                let descriptor = try MemoryFile.create(name: "x", allowSealing: false)
                raw = descriptor.relinquish()
                #expect(descriptor.relinquish() == -1)
            }
            #expect(isOpen(raw))
            _ = OwnedDescriptor(taking: raw)
            #expect(!isOpen(raw))
        }

        /// The number of one that is in use must not come to mean another file.
        @Test func close_whileLent_takesEffectAtTheEndOfTheCall() throws {
            let descriptor = try MemoryFile.create(name: "x", allowSealing: false)
            let raw = descriptor.withRawValue { outer in
                descriptor.withRawValue { inner in #expect(inner == outer) }
                descriptor.close()
                #expect(isOpen(outer) && descriptor.rawValue == -1)
                let other = try? MemoryFile.create(name: "y", allowSealing: false)
                #expect(other?.rawValue != outer)
                descriptor.withRawValue { #expect($0 == -1) }
                return outer
            }
            #expect(!isOpen(raw))
        }

        @Test func relinquish_whileLent_leavesTheDescriptorOpen() throws {
            let descriptor = try MemoryFile.create(name: "x", allowSealing: false)
            let raw = descriptor.withRawValue { _ in
                defer { descriptor.close() }
                return descriptor.relinquish()
            }
            #expect(isOpen(raw))
            _ = OwnedDescriptor(taking: raw)
        }

        @Test func duplicate_isCloseOnExecAndNoStandardStream() throws {
            let descriptor = try MemoryFile.create(name: "x", allowSealing: false)
            let duplicate = try descriptor.duplicate()
            #expect(duplicate.rawValue > 2 && duplicate.rawValue != descriptor.rawValue)
            #expect(try Syscall.isCloseOnExec(duplicate.rawValue))
            descriptor.close()
            #expect(isOpen(duplicate.rawValue))
            #expect(throws: Errno.badFileDescriptor) { try descriptor.duplicate() }
        }
    }
}

extension SystemTests {
    @Suite struct WriteTests {
        /// A log nobody reads: the writer goes on, and what fitted is there.
        @Test func writeWithoutWaiting_whenThePipeIsFull_returns() throws {
            let pipe = try Syscall.pipe(nonBlocking: false)
            let line = [UInt8](repeating: 7, count: 10_000)
            for _ in 0..<100 { Syscall.writeWithoutWaiting(pipe.write.rawValue, line) }
            pipe.write.close()
            var count = 0
            while case let bytes = try Syscall.read(pipe.read.rawValue, count: 65_536),
                !bytes.isEmpty
            {
                count += bytes.count
            }
            #expect((40_000...200_000).contains(count))
        }

        /// Each finds room, and only one gets it: the others must not wait for more.
        @Test func writeWithoutWaiting_whenOthersFillThePipe_returns() throws {
            let writers = 8
            for _ in 0..<200 {
                let pipe = try Syscall.pipe(nonBlocking: false)
                let finished = try Syscall.pipe(nonBlocking: false)
                let line = [UInt8](repeating: 7, count: 4_096)
                for _ in 0..<writers {
                    try startThread(name: "writer") {
                        for _ in 0..<20 {
                            Syscall.writeWithoutWaiting(pipe.write.rawValue, line)
                        }
                        try? Syscall.writeAll(finished.write.rawValue, [1])
                    }
                }
                for _ in 0..<writers {
                    let isDone = try Syscall.poll(
                        finished.read.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 5_000)
                    guard isDone else {
                        // The waiting thread may end.
                        pipe.read.close()
                        Issue.record("a writer waits for a reader")
                        return
                    }
                    _ = try Syscall.read(finished.read.rawValue, count: 1)
                }
                withExtendedLifetime(pipe) {}
            }
        }

        @Test func writeWithoutWaiting_toSocketAndFile_arrives() throws {
            let sockets = try Syscall.socketPair(type: .stream, nonBlocking: false)
            #expect(Syscall.writeWithoutWaiting(sockets.0.rawValue, [1, 2, 3]) == 3)
            #expect(try Syscall.read(sockets.1.rawValue, count: 10) == [1, 2, 3])
            let full = [UInt8](repeating: 7, count: 4_096)
            while Syscall.writeWithoutWaiting(sockets.0.rawValue, full) == full.count {}
            let file = try MemoryFile.create(name: "log", allowSealing: false)
            #expect(Syscall.writeWithoutWaiting(file.rawValue, full + full) == 8_192)
            #expect(try MemoryFile.size(file.rawValue) == 8_192)
        }

        @Test func writeWithoutWaiting_whenTheReaderIsGone_raisesNoSignal() throws {
            var (before, brokenPipe, pending) = (sigset_t(), sigset_t(), sigset_t())
            sigemptyset(&brokenPipe)
            sigaddset(&brokenPipe, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &brokenPipe, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            let pipe = try Syscall.pipe(nonBlocking: false)
            let sockets = try Syscall.socketPair(type: .stream, nonBlocking: false)
            pipe.read.close()
            sockets.0.close()
            for descriptor in [pipe.write, sockets.1] {
                #expect(Syscall.writeWithoutWaiting(descriptor.rawValue, [7]) == 0)
                sigpending(&pending)
                let isRaised = sigismember(&pending, SIGPIPE) == 1
                #expect(!isRaised)
                // It would end this process.
                if isRaised { sigwaitinfo(&brokenPipe, nil) }
            }
        }
    }

    @Suite struct MemoryFileTests {
        @Test func seal_whenDone_nothingChangesAnyMore() throws {
            let file = try MemoryFile.create(name: "state", allowSealing: true)
            try Syscall.writeAll(file.rawValue, Array("hello".utf8))
            #expect(try !MemoryFile.isSealed(file.rawValue))
            try MemoryFile.seal(file.rawValue)
            #expect(try MemoryFile.isSealed(file.rawValue))
            #expect(try MemoryFile.size(file.rawValue) == 5)
            #expect(throws: Errno.notPermitted) { try Syscall.writeAll(file.rawValue, [1]) }
            #expect(throws: Errno.notPermitted) { try MemoryFile.seal(file.rawValue) }
        }

        @Test func mapping_outlivesTheDescriptor() throws {
            let file = try MemoryFile.create(name: "state", allowSealing: true)
            try Syscall.writeAll(file.rawValue, [UInt8](repeating: 7, count: 100_000))
            try MemoryFile.seal(file.rawValue)
            let memory = try MappedMemory(readOnly: file.rawValue, size: 100_000)
            file.close()
            #expect(memory.withUnsafeBytes { $0.count == 100_000 && $0.allSatisfy { $0 == 7 } })
        }

        @Test func mapping_whenEmpty_isEmpty() throws {
            let file = try MemoryFile.create(name: "empty", allowSealing: true)
            try MemoryFile.seal(file.rawValue)
            let memory = try MappedMemory(readOnly: file.rawValue, size: 0)
            #expect(memory.withUnsafeBytes { $0.isEmpty })
            #expect(throws: Errno.invalidArgument) {
                try MappedMemory(readOnly: file.rawValue, size: -1)
            }
        }

        @Test func seal_whenNotAllowed_throws() throws {
            let file = try MemoryFile.create(name: "plain", allowSealing: false)
            #expect(throws: Errno.notPermitted) { try MemoryFile.seal(file.rawValue) }
            #expect(try !MemoryFile.isSealed(file.rawValue))
            let pipe = try Syscall.pipe(nonBlocking: false)
            #expect(throws: Errno.invalidArgument) { try MemoryFile.isSealed(pipe.read.rawValue) }
        }
    }
}
