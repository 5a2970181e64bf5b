// SPDX-License-Identifier: Apache-2.0

import Testing

/// The planned ends of a service.
@Suite(.serialized, .enabled(if: Sandbox.isPossible)) struct StopTests {
    @Test func stop_whileTwoGenerationsLive_letsBothDrain() throws {
        try Sandbox.run("stop.two_generations")
    }

    @Test func stop_withDrainLongerThanTimeout_waitsForIt() throws {
        try Sandbox.run("stop.long_drain")
    }

    @Test func stop_duringAReload_leavesNoFailedUnit() throws {
        try Sandbox.run("stop.during_a_reload")
    }

    @Test func restart_withSocketUnit_refusesNobody() throws {
        try Sandbox.run("restart.with_socket_unit")
    }

    @Test func restart_withStoredListener_refusesNobody() throws {
        try Sandbox.run("restart.with_stored_listener")
    }
}
