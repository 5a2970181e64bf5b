// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import Succession

@Suite struct AcceptBackOffTests {
    /// Of a filter of system calls, a security module, a network that is gone.
    @Test(arguments: [Errno.notPermitted, .permissionDenied, .networkDown, .connectionAbort])
    func decide_whenAnErrorStays_pausesLongerAndLonger(errno: Errno) {
        var backOff = AcceptBackOff()
        var pauses: [Duration] = []
        var news = 0
        for _ in 0..<100 {
            if case .pause(let time) = backOff.decide(on: errno) {
                pauses.append(time)
                if backOff.isNews { news += 1 }
            }
        }
        #expect(pauses.count > 80)
        #expect(pauses.first == .milliseconds(10) && pauses.last == .seconds(1))
        #expect(pauses == pauses.sorted())
        #expect(news == 1)
    }

    @Test func decide_whenConnectionsAreBadNowAndThen_goesOnAtOnce() {
        var backOff = AcceptBackOff()
        for _ in 0..<100 {
            for _ in 0..<10 { #expect(backOff.decide(on: .connectionAbort) == .again) }
            backOff.succeeded()
        }
    }

    @Test(arguments: [Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .noBufferSpace])
    func decide_whenSomethingIsUsedUp_waitsForRoom(errno: Errno) {
        var backOff = AcceptBackOff()
        for _ in 0..<100 { #expect(backOff.decide(on: errno) == .untilRoom) }
    }

    @Test(arguments: [Errno.invalidArgument, .notSocket, .badFileDescriptor])
    func decide_whenItIsNoListener_givesUp(errno: Errno) {
        var backOff = AcceptBackOff()
        #expect(backOff.decide(on: errno) == .giveUp)
    }
}
