// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SystemPackage
import Testing

extension SystemTests {
    @Suite struct FileTests {
        @Test func files_whenMadeAndMoved_areWhereTheyShouldBe() throws {
            let directory = try TemporaryDirectory()
            let path = try directory.file("one", "hello")
            let facts = try Syscall.status(path)
            #expect(
                facts.isRegularFile && facts.size == 5 && facts.mode == 0o600 && !facts.isExecutable
            )
            #expect(facts.userID == ProcessEnvironment.effectiveUserID)
            try Syscall.rename(path, directory.path + "/two")
            try Syscall.symbolicLink(to: "two", at: path)
            #expect(try Syscall.readLink(path) == "two")
            #expect(try Syscall.linkStatus(path).isSymbolicLink)
            #expect(try Syscall.status(path).identity == facts.identity)
            try Syscall.changeMode(path, 0o755)
            #expect(try Syscall.status(path).isExecutable)
            try Syscall.makeDirectory(directory.path + "/sub", mode: 0o700)
            #expect(try Set(Syscall.listDirectory(directory.path)) == ["one", "two", "sub"])
            #expect(throws: Errno.fileExists) {
                try Syscall.makeDirectory(directory.path + "/sub", mode: 0o700)
            }
            try Syscall.unlink(path)
            #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.linkStatus(path) }
            #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.listDirectory(path) }
            #expect(throws: Errno.invalidArgument) { try Syscall.unlink(directory.path + "/two\0") }
        }

        @Test func lock_whenAnotherHasIt_isFalse() throws {
            let directory = try TemporaryDirectory()
            let one = try Syscall.open(directory.path + "/lock", .readWriteCreate, mode: 0o600)
            let other = try Syscall.open(directory.path + "/lock", .readWriteCreate, mode: 0o600)
            #expect(try Syscall.lockExclusively(one.rawValue))
            #expect(try !Syscall.lockExclusively(other.rawValue))
            let duplicate = try one.duplicate()
            one.close()
            #expect(try !Syscall.lockExclusively(other.rawValue))
            duplicate.close()
            #expect(try Syscall.lockExclusively(other.rawValue))
        }

        @Test func reading_whenFileIsLong_isWhole() throws {
            let directory = try TemporaryDirectory()
            let text = String(repeating: "0123456789", count: 20_000)
            let path = try directory.file("long", text)
            #expect(try Syscall.readFile(path) == Array(text.utf8))
            #expect(throws: Errno.fileTooLarge) { try Syscall.readFile(path, limit: 1_000) }
            let file = try Syscall.open(path, .readOnly)
            #expect(try Syscall.readAt(file.rawValue, offset: 13, count: 3) == Array("345".utf8))
            #expect(try Syscall.readAt(file.rawValue, offset: 1 << 30, count: 3) == [])
            #expect(try Syscall.read(file.rawValue, count: 2) == Array("01".utf8))
        }

        @Test func setAppend_whenSet_writesGoToTheEnd() throws {
            let file = try MemoryFile.create(name: "log", allowSealing: false)
            try Syscall.setAppend(file.rawValue)
            try Syscall.writeAll(file.rawValue, Array("ab".utf8))
            let other = try Syscall.open("/proc/self/fd/\(file.rawValue)", [.writeOnly, .append])
            try Syscall.writeAll(other.rawValue, Array("cd".utf8))
            try Syscall.writeAll(file.rawValue, Array("ef".utf8))
            #expect(try Syscall.readAt(file.rawValue, offset: 0, count: 9) == Array("abcdef".utf8))
        }

        @Test func duplicate_whenOnto_replacesTheDescriptor() throws {
            let one = try MemoryFile.create(name: "one", allowSealing: false)
            let other = try MemoryFile.create(name: "other", allowSealing: false)
            try Syscall.duplicate(one.rawValue, onto: other.rawValue)
            #expect(
                try Syscall.status(of: one.rawValue).identity
                    == Syscall.status(of: other.rawValue).identity)
            #expect(try !Syscall.isCloseOnExec(other.rawValue))
        }
    }

    @Suite struct ProcessEnvironmentTests {
        @Test func variables_whenSetAndRemoved_areSeen() {
            ProcessEnvironment.set("SUCCESSION_TEST", "a=b")
            #expect(ProcessEnvironment.value("SUCCESSION_TEST") == "a=b")
            #expect(ProcessEnvironment.snapshot().contains("SUCCESSION_TEST=a=b"))
            ProcessEnvironment.remove("SUCCESSION_TEST")
            ProcessEnvironment.remove("SUCCESSION_TEST")
            #expect(ProcessEnvironment.value("SUCCESSION_TEST") == nil)
        }

        @Test func program_isTheOneThatRuns() throws {
            let own = try Syscall.status("/proc/self/exe").identity
            #expect(try Syscall.status(ProcessEnvironment.executablePath).identity == own)
            let invoked = ProcessEnvironment.invokedPath()
            #expect(invoked.hasPrefix("/"))
            #expect(try Syscall.status(invoked).identity == own)
            #expect(ProcessEnvironment.arguments() == CommandLine.arguments)
        }
    }
}
