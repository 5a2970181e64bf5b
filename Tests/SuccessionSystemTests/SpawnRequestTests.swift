// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

extension SystemTests {
    @Suite struct SpawnRequestTests {
        @Test func spawn_whenTargetsPermuteSources_eachArrivesAtItsNumber() throws {
            let files = try ["a", "b", "c"].map {
                try MemoryFile.create(name: $0, allowSealing: false)
            }
            let numbers = files.map(\.rawValue)
            let leaked = try OwnedDescriptor.duplicating(2)
            try Syscall.setCloseOnExec(leaked.rawValue, false)
            let program = try RunningProgram(descriptors: [
                (source: numbers[0], target: numbers[1]), (source: numbers[1], target: numbers[2]),
                (source: numbers[2], target: numbers[0]), (source: numbers[0], target: 200),
            ])
            // An array is let go after its last use, and its descriptors with it.
            withExtendedLifetime((files, leaked)) {}
            #expect(try openDescriptors(of: program.pid) == Set([0, 1, 2, 200] + numbers))
            let targets = try (numbers + [200]).map(program.target(of:))
            #expect(targets == ["c", "a", "b", "a"].map { "/memfd:\($0) (deleted)" })
            #expect(try program.target(of: 2) == Syscall.readLink("/proc/self/fd/2"))
        }

        @Test func spawn_whenNothingIsMapped_onlyTheStandardStreamsAreOpen() throws {
            let leaked = try (0..<50).map { _ in try OwnedDescriptor.duplicating(2) }
            for descriptor in leaked { try Syscall.setCloseOnExec(descriptor.rawValue, false) }
            let program = try RunningProgram()
            withExtendedLifetime(leaked) {}
            #expect(try openDescriptors(of: program.pid) == [0, 1, 2])
        }

        @Test func spawn_whenSourceIsStandardError_itMayBeReplacedAndKept() throws {
            let captured = try MemoryFile.create(name: "captured", allowSealing: false)
            let program = try RunningProgram(descriptors: [
                (source: captured.rawValue, target: 2), (source: 2, target: 4),
            ])
            withExtendedLifetime(captured) {}
            #expect(try program.target(of: 2) == "/memfd:captured (deleted)")
            #expect(try program.target(of: 4) == Syscall.readLink("/proc/self/fd/2"))
            #expect(try openDescriptors(of: program.pid) == [0, 1, 2, 4])
        }

        @Test func spawn_whenCallerBlocksAndIgnoresSignals_theProgramDoesNot() throws {
            let old = Glibc.signal(SIGPIPE, SIG_IGN)
            var before = sigset_t()
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, &before)
            let program = Result { try RunningProgram() }
            pthread_sigmask(SIG_SETMASK, &before, nil)
            _ = Glibc.signal(SIGPIPE, old)
            let status = try program.get().status()
            for field in ["SigBlk", "SigIgn", "SigCgt"] {
                #expect(status[field] == "0000000000000000", "\(field)")
            }
        }

        @Test(arguments: [
            ([SIGPIPE], "0000000000001000"), ([SIGHUP, SIGQUIT], "0000000000000005"),
            ([64], "8000000000000000"), ([0, 65, -1], "0000000000000000"),
        ])
        func spawn_whenSignalsAreToBeIgnored_nothingElseIs(
            signals: [CInt], expected: String
        ) throws {
            let status = try RunningProgram(ignoredSignals: IgnoredSignals(signals)).status()
            #expect(status["SigIgn"] == expected)
            #expect(status["SigBlk"] == "0000000000000000")
        }

        @Test func spawn_whenDone_theMaskOfTheCallerIsAsBefore() throws {
            var before = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &before)
            _ = try RunningProgram()
            var after = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &after)
            for number in 1...64 {
                #expect(sigismember(&before, CInt(number)) == sigismember(&after, CInt(number)))
            }
        }

        @Test func spawn_whenListenPIDIsWanted_itIsTheProgramsOwn() throws {
            let program = try RunningProgram(
                environment: ["A=1", "LISTEN_PID=1", "LISTEN_FDS=0"], setsListenPID: true)
            let variables = try program.environment()
            #expect(variables == ["A=1", "LISTEN_FDS=0", "LISTEN_PID=\(program.pid)"])
        }

        @Test func spawn_whenSessionAndDirectoryAreGiven_theProgramHasThem() throws {
            let directory = try TemporaryDirectory()
            let opened = try Syscall.open(directory.path, .pathOnlyDirectory)
            let program = try RunningProgram(
                newSession: true, workingDirectory: opened.rawValue)
            withExtendedLifetime(opened) {}
            #expect(getsid(program.pid) == program.pid)
            #expect(try Syscall.readLink("/proc/\(program.pid)/cwd") == directory.path)
        }

        @Test func spawn_whenArgumentsAreUnusual_theyArriveUnchanged() throws {
            let output = try MemoryFile.create(name: "output", allowSealing: false)
            let arguments = ["sh", "-c", "printf '<%s>' \"$@\"", "sh", "", "ä b", "-x", "\n"]
            let process = try SpawnRequest(
                path: "/bin/sh", arguments: arguments,
                descriptors: [(source: output.rawValue, target: 1)]
            ).spawn()
            #expect(process.waitForExit(deadline: deadline(seconds: 10)))
            #expect(try process.reap() == .exited(0))
            let text = try Syscall.readAt(output.rawValue, offset: 0, count: 1_000)
            #expect(String(decoding: text, as: UTF8.self) == "<><ä b><-x><\n>")
        }

        @Test func spawn_whenSibling_ourParentIsItsParent() throws {
            // Process 1 of a namespace has no siblings.
            guard ProcessEnvironment.parentProcessID > 0, ProcessEnvironment.processID > 1 else {
                return
            }
            let program = try RunningProgram(asSibling: true)
            let status = try #require(ProcessStatus.of(program.pid))
            #expect(status.parentProcessID == ProcessEnvironment.parentProcessID)
            #expect(throws: Errno.noChildProcess) { try program.process.reap() }
            try program.process.signal(SIGKILL)
            #expect(program.process.waitForExit(deadline: deadline(seconds: 10)))
        }
    }
}

extension SystemTests {
    @Suite struct SpawnFailureTests {
        private func failure(
            _ path: String, descriptors: [(source: CInt, target: CInt)] = [],
            arguments: [String] = ["x"]
        ) throws -> Errno? {
            var failure: Errno?
            do throws(Errno) {
                _ = try SpawnRequest(
                    path: path, arguments: arguments, descriptors: descriptors
                ).spawn()
            } catch {
                failure = error
            }
            #expect(!hasUnreapedChild())
            return failure
        }

        @Test func spawn_whenFileIsMissing_throwsNoSuchFile() throws {
            #expect(try failure("/nonexistent/program") == .noSuchFileOrDirectory)
        }

        @Test func spawn_whenFileIsNotExecutable_throwsPermissionDenied() throws {
            let directory = try TemporaryDirectory()
            #expect(try failure(directory.file("plain", "text")) == .permissionDenied)
            #expect(try failure(directory.path) == .permissionDenied)
        }

        @Test func spawn_whenFileIsNoProgram_throwsExecFormatError() throws {
            let directory = try TemporaryDirectory()
            let path = try directory.file("garbage", "garbage", mode: 0o700)
            #expect(try failure(path) == .execFormatError)
        }

        @Test func spawn_whenInterpreterIsMissing_throwsNoSuchFile() throws {
            let directory = try TemporaryDirectory()
            let path = try directory.file("script", "#!/nonexistent\n", mode: 0o700)
            #expect(try failure(path) == .noSuchFileOrDirectory)
        }

        @Test func spawn_whenSourceIsNotOpen_throwsBadFileDescriptor() throws {
            let descriptors: [(source: CInt, target: CInt)] = [(source: 900_000, target: 3)]
            #expect(try failure("/bin/true", descriptors: descriptors) == .badFileDescriptor)
            #expect(
                try failure("/bin/true", descriptors: [(source: 0, target: -1)])
                    == .badFileDescriptor)
        }

        @Test func spawn_whenStringHasZeroByte_throwsInvalidArgument() throws {
            #expect(try failure("/bin/true\0x") == .invalidArgument)
            #expect(try failure("/bin/true", arguments: ["a\0b"]) == .invalidArgument)
        }

        @Test func spawn_whenRepeated_leavesNothingBehind() throws {
            func round(_ count: Int) throws {
                for index in 0..<count {
                    if index % 5 == 0 {
                        #expect(try failure("/nonexistent") == .noSuchFileOrDirectory)
                        continue
                    }
                    let process = try SpawnRequest(
                        path: "/bin/true", arguments: ["true"],
                        descriptors: [(source: 0, target: 7)], setsListenPID: true
                    ).spawn()
                    #expect(process.waitForExit(deadline: deadline(seconds: 10)))
                    #expect(try process.reap() == .exited(0))
                }
            }
            try round(100)
            let (descriptors, memory, maps) = (
                try openDescriptors(), try memoryUse(), try mapCount()
            )
            try round(500)
            // The runtime may have opened one or two; a leak would be hundreds.
            #expect(try openDescriptors().count < descriptors.count + 10)
            // A stack or an environment left behind by each spawn would be megabytes, or hundreds
            // of mappings.
            #expect(try memoryUse() < memory + 1_500)
            #expect(try mapCount() < maps + 50)
        }
    }
}

/// Kilobytes of memory this process occupies.
private func memoryUse() throws -> Int {
    let fields = try statusFields(of: ProcessEnvironment.processID)
    return Int(try #require(fields["VmRSS"]?.split(separator: " ").first)) ?? 0
}

private func mapCount() throws -> Int {
    try Syscall.readFile("/proc/self/maps").count { $0 == UInt8(ascii: "\n") }
}

private func hasUnreapedChild() -> Bool {
    var info = siginfo_t()
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo != 0
}
