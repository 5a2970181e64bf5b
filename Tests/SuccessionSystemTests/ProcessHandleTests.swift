// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

extension SystemTests {
    @Suite struct ProcessHandleTests {
        private func shell(_ script: String) throws -> ProcessHandle {
            try SpawnRequest(path: "/bin/sh", arguments: ["sh", "-c", script]).spawn()
        }

        /// As on a kernel without pidfds.
        private func withoutDescriptor(_ process: ProcessHandle) -> ProcessHandle {
            ProcessHandle(processID: process.processID, pidfd: nil)
        }

        @Test func reap_whenProgramExits_isItsStatusEveryTime() throws {
            let process = try shell("exit 7")
            let observer = try ProcessHandle.open(process.processID)
            #expect(process.waitForExit(deadline: deadline(seconds: 10)))
            #expect(!process.isAlive())
            #expect(observer.exitStatus() == nil)
            #expect(try process.reap() == .exited(7))
            #expect(try process.reap() == .exited(7))
            #expect(process.exitStatus() == .exited(7))
            // Kernels before 6.15 cannot tell.
            if let status = observer.exitStatus() { #expect(status == .exited(7)) }
            #expect(throws: Errno.noSuchProcess) { try process.signal(SIGTERM) }
            #expect(throws: Errno.noSuchProcess) { try observer.signal(0) }
        }

        @Test func signal_whenProgramRuns_endsIt() throws {
            let program = try RunningProgram()
            let process = program.process
            let observer = try ProcessHandle.open(process.processID)
            #expect(process.isAlive() && observer.isAlive())
            #expect(try process.reap() == nil)
            #expect(!process.waitForExit(deadline: Syscall.monotonicNanoseconds()))
            try process.signal(SIGKILL)
            #expect(observer.waitForExit(deadline: deadline(seconds: 10)))
            #expect(try process.reap() == .signaled(SIGKILL, coreDumped: false))
            if let status = observer.exitStatus() {
                #expect(status == .signaled(SIGKILL, coreDumped: false))
            }
        }

        @Test func descriptor_whenProgramEnds_isCloseOnExecAndReadable() throws {
            let process = try shell("exit 0")
            defer {
                _ = process.waitForExit(deadline: deadline(seconds: 10))
                _ = try? process.reap()
            }
            // Kernels before 5.2 have none.
            guard let descriptor = process.descriptor else { return }
            #expect(try Syscall.isCloseOnExec(descriptor.rawValue))
            #expect(
                try Syscall.poll(
                    descriptor.rawValue, events: Syscall.pollIn, timeoutMilliseconds: 10_000))
            #expect(try process.reap() == .exited(0))
        }

        @Test func open_whenThereIsNoSuchProcess_throws() throws {
            let process = try shell("exit 0")
            #expect(process.waitForExit(deadline: deadline(seconds: 10)))
            _ = try process.reap()
            #expect(throws: Errno.noSuchProcess) { try ProcessHandle.open(process.processID) }
        }

        /// To kill(2) these are groups of processes.
        @Test(arguments: [Int32(0), -1, .min])
        func open_ofNoNumber_throws(pid: Int32) {
            #expect(throws: Errno.invalidArgument) { try ProcessHandle.open(pid) }
        }

        @Test func reap_whenProcessIsNoChild_throws() throws {
            let own = try ProcessHandle.open(ProcessEnvironment.processID)
            #expect(own.isAlive())
            #expect(throws: Errno.noChildProcess) { try own.reap() }
            #expect(own.exitStatus() == nil)
        }

        @Test func everything_withoutDescriptor_worksByStartTime() throws {
            let program = try RunningProgram()
            let process = withoutDescriptor(program.process)
            #expect(process.isAlive())
            #expect(!process.waitForExit(deadline: Syscall.monotonicNanoseconds() + 1_000_000))
            #expect(try process.reap() == nil)
            try process.signal(SIGTERM)
            #expect(process.waitForExit(deadline: deadline(seconds: 10)))
            #expect(throws: Errno.noSuchProcess) { try process.signal(SIGTERM) }
            #expect(try process.reap() == .signaled(SIGTERM, coreDumped: false))
            #expect(!process.isAlive())
        }

        @Test func status_whenProcessIsOurs_isRead() throws {
            let status = try #require(ProcessStatus.of(ProcessEnvironment.processID))
            #expect(status.parentProcessID == ProcessEnvironment.parentProcessID)
            #expect(!status.hasEnded && status.startTime > 0)
            #expect(ProcessStatus.of(-1) == nil)
        }

        @Test func description_saysHowItEnded() {
            #expect("\(ExitStatus.exited(1))" == "exited with status 1")
            #expect(
                "\(ExitStatus.signaled(9, coreDumped: false))" == "was killed by signal 9 (SIGKILL)"
            )
            #expect(
                "\(ExitStatus.signaled(11, coreDumped: true))"
                    == "was killed by signal 11 (SIGSEGV) and dumped core")
            #expect(ExitStatus.signalName(63) == "signal 63")
            #expect(Signals.number(named: "USR2") == SIGUSR2)
            #expect(Signals.number(named: "SIGNOT") == nil)
        }
    }
}
