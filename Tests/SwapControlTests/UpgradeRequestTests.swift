// SPDX-License-Identifier: Apache-2.0

import SwapControl
import Testing

@Suite struct UpgradeRequestTests {
    @Test func command_whenAbsolute_isTakenAsItIs() throws {
        let command = try #require(try SuccessorCommand(["/srv/web", "--port", "80"]))
        #expect(command.executable == "/srv/web")
        #expect(command.arguments == ["/srv/web", "--port", "80"])
    }

    @Test func command_whenRelative_isMadeAbsoluteAndKeepsItsName() throws {
        let command = try #require(try SuccessorCommand(["./bin/web"]))
        #expect(command.executable.hasPrefix("/") && command.executable.hasSuffix("/bin/web"))
        #expect(!command.executable.contains("/./"))
        #expect(command.arguments == ["./bin/web"])
    }

    @Test func command_whenBareName_isFoundInSearchPath() throws {
        let command = try #require(try SuccessorCommand(["sh"]))
        #expect(command.executable.hasSuffix("/sh"))
        #expect(command.arguments == ["sh"])
    }

    @Test func command_whenNowhereInSearchPath_isWrongUsage() {
        let error = #expect(throws: ControlError.self) {
            try SuccessorCommand(["no-such-program-anywhere"])
        }
        #expect(error?.exitCode == .usage)
    }

    @Test func command_whenNone_isNil() throws {
        #expect(try SuccessorCommand([]) == nil)
    }

    @Test func environment_whenNotSetHere_isWrongUsage() throws {
        var request = UpgradeRequest()
        try request.addEnvironment("A=b=c")
        #expect(request.environment == ["A=b=c"])
        #expect(throws: ControlError.self) { try request.addEnvironment("NO_SUCH_VARIABLE_HERE") }
        #expect(throws: ControlError.self) { try request.addEnvironment("=x") }
    }

    @Test(arguments: ["", "a/b", ".hidden", "-x", "a b", "a\u{7}"])
    func service_whenNameCannotBeADirectory_isWrongUsage(name: String) {
        let error = #expect(throws: ControlError.self) { try Service.locate(name) }
        #expect(error?.exitCode == .usage)
    }

    @Test(arguments: ["SUCCESSION_CHANNEL=3", "SUCCESSION_STDERR=", "LISTEN_FDS", "MAINPID=1"])
    func environment_thatSpeaksOfOneProcess_isWrongUsage(change: String) {
        var request = UpgradeRequest()
        let error = #expect(throws: ControlError.self) { try request.addEnvironment(change) }
        #expect(error?.exitCode == .usage)
        #expect(error?.message.contains("cannot be set from outside") == true)
        #expect(request.environment.isEmpty)
    }

    @Test func environment_thatOnlyLooksLikeIt_isTaken() throws {
        var request = UpgradeRequest()
        try request.addEnvironment("SUCCESSION_CHANNELS=3")
        #expect(request.environment == ["SUCCESSION_CHANNELS=3"])
    }
}
