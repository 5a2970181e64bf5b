// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport
import Testing

extension TransportTests {
    @Suite struct LeftoverTests {
        @Test func name_ofASocketOrTheLink_isALeftover() {
            let socket = Leftover(".2.8697")
            #expect(socket?.generation == 2)
            #expect(socket?.processID == 8697)
            let link = Leftover(".serving.1378")
            #expect(link != nil && link?.generation == nil)
            #expect(link?.processID == 1378)
        }

        @Test(arguments: [
            "", ".", "..", "...", "lock", "2.sock", "2.8697", ".2", ".2.", ".2.x", ".x.1", ".2.0",
            ".2.-1", ".0.1", ".2.99999999999", ".2.1.1", ".serving", ".servant.1", "a.2.1",
        ])
        func name_ofAnythingElse_isNone(name: String) {
            #expect(Leftover(name) == nil)
        }

        @Test func removeLeftovers_removesWhatADeadProcessLeft() throws {
            let place = try TemporaryRuntimeDirectory()
            let dead = try endedProcess()
            try place.makeStaleSocket(".1.\(dead)")
            try Syscall.symbolicLink(to: "1.sock", at: place.path + "/.serving.\(dead)")
            place.directory.removeLeftovers()
            #expect(try place.entries() == [])
        }

        @Test func removeLeftovers_ofALivingProcess_areOnlyForOneThatIsAlone() throws {
            let place = try TemporaryRuntimeDirectory()
            let name = ".1.\(ProcessEnvironment.processID)"
            try place.makeStaleSocket(name)
            place.directory.removeLeftovers()
            #expect(try place.entries() == [name])
            place.directory.removeLeftovers(isAlone: true)
            #expect(try place.entries() == [])
        }

        /// A name is not enough: it has to be the kind of file that has such a name.
        @Test func removeLeftovers_leavesOtherFiles() throws {
            let place = try TemporaryRuntimeDirectory()
            let dead = try endedProcess()
            try place.makeFile(".1.\(dead)")
            try place.makeStaleSocket(".serving.\(dead)")
            try place.makeStaleSocket("1.sock")
            try place.makeFile("lock")
            place.directory.removeLeftovers(isAlone: true)
            #expect(
                try place.entries()
                    == [".1.\(dead)", ".serving.\(dead)", "1.sock", "lock"].sorted())
        }
    }
}
