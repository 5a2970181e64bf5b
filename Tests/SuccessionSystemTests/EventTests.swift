// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import Synchronization
import SystemPackage
import Testing

extension SystemTests {
    @Suite struct EventTests {
        @Test func epoll_whenDescriptorIsReady_namesIt() throws {
            let epoll = try Syscall.epollCreate()
            let event = try Syscall.eventDescriptor()
            let pipe = try Syscall.pipe(nonBlocking: true)
            try Syscall.epollAdd(epoll.rawValue, event.rawValue, .readable)
            try Syscall.epollAdd(epoll.rawValue, pipe.read.rawValue, .readable)
            #expect(try Syscall.epollWait(epoll.rawValue, timeout: 0) == [])
            Syscall.signalEvent(event.rawValue)
            Syscall.signalEvent(event.rawValue)
            #expect(
                try Syscall.epollWait(epoll.rawValue, timeout: 1_000)
                    == [Syscall.Event(descriptor: event.rawValue, readiness: .readable)])
            Syscall.drainEvent(event.rawValue)
            pipe.write.close()
            #expect(
                try Syscall.epollWait(epoll.rawValue, timeout: 1_000)
                    == [Syscall.Event(descriptor: pipe.read.rawValue, readiness: .hangUp)])
            try Syscall.epollRemove(epoll.rawValue, pipe.read.rawValue)
            #expect(try Syscall.epollWait(epoll.rawValue, timeout: 0) == [])
            try Syscall.epollModify(epoll.rawValue, event.rawValue, .writable)
            #expect(try Syscall.epollWait(epoll.rawValue, timeout: 0).first?.readiness == .writable)
            #expect(throws: Errno.fileExists) {
                try Syscall.epollAdd(epoll.rawValue, event.rawValue, .readable)
            }
        }

        @Test func poll_whenSeveral_saysWhichAreReady() throws {
            let pipe = try Syscall.pipe(nonBlocking: true)
            let entries: [(fd: CInt, events: CShort)] = [
                (fd: pipe.read.rawValue, events: Syscall.pollIn),
                (fd: pipe.write.rawValue, events: Syscall.pollOut),
                (fd: -1, events: Syscall.pollIn),
            ]
            #expect(
                try Syscall.poll(entries, timeoutMilliseconds: 1_000) == [0, Syscall.pollOut, 0])
            #expect(
                try !Syscall.poll(
                    pipe.read.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 1))
        }

        @Test func relay_whenSignalComes_writesItsNumber() throws {
            let pipe = try Syscall.pipe(nonBlocking: true)
            try SignalRelay.install([SIGUSR1, SIGUSR2], writingTo: pipe.write.rawValue)
            defer { SignalRelay.restoreDefault([SIGUSR1, SIGUSR2]) }
            let writer = pipe.write
            try startThread(name: "a name that is too long") {
                SignalRelay.blockAllInThisThread()
                SignalRelay.unblockInThisThread([SIGUSR1, SIGUSR2])
                raise(SIGUSR1)
                raise(SIGUSR2)
                _ = writer
            }
            var bytes: [UInt8] = []
            while bytes.count < 2 {
                try #require(
                    try Syscall.poll(
                        pipe.read.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000))
                bytes += try Syscall.read(pipe.read.rawValue, count: 16)
            }
            #expect(bytes == [UInt8(SIGUSR1), UInt8(SIGUSR2)])
        }

        @Test func relay_whenSignalCannotBeCaught_throwsAndTakesTheOthersBack() throws {
            let pipe = try Syscall.pipe(nonBlocking: true)
            #expect(throws: Errno.invalidArgument) {
                try SignalRelay.install([SIGUSR1, SIGKILL], writingTo: pipe.write.rawValue)
            }
            var action = sigaction()
            sigaction(SIGUSR1, nil, &action)
            #expect(action.__sigaction_handler.sa_handler == nil)
        }

        @Test func thread_whenStarted_hasItsName() throws {
            let pipe = try Syscall.pipe(nonBlocking: false)
            let writer = pipe.write
            try startThread(name: "succession-with-a-long-name") {
                let name = (try? Syscall.readFile("/proc/thread-self/comm")) ?? []
                try? Syscall.writeAll(writer.rawValue, name)
            }
            let name = try Syscall.read(pipe.read.rawValue, count: 100)
            #expect(String(decoding: name, as: UTF8.self) == "succession-with\n")
        }
    }
}
