// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport
import Testing

struct RuntimeDirectoryTests {
    @Test func publish_whenAProcessOfThisNumberWasKilledInBetween_pointsServing() throws {
        let directory = RuntimeDirectory(path: "/tmp/succession-\(UInt32.random(in: 0 ... .max))")
        try directory.prepare()
        defer {
            for entry in (try? Syscall.listDirectory(directory.path)) ?? [] {
                try? Syscall.unlink(directory.path + "/" + entry)
            }
            try? Syscall.removeDirectory(directory.path)
        }
        let left = directory.path + "/.serving.\(ProcessEnvironment.processID)"
        try Syscall.symbolicLink(to: "1.sock", at: left)

        try directory.publishServing(2)
        #expect(directory.servingGeneration() == 2)
        #expect(try Syscall.listDirectory(directory.path) == ["serving"])
        try directory.publishServing(3)
        #expect(directory.servingGeneration() == 3)
    }
}
