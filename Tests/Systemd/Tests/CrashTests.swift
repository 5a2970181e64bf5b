// SPDX-License-Identifier: Apache-2.0

import Testing

/// kill -9, and processes that hang.
@Suite(.serialized, .enabled(if: Sandbox.isPossible)) struct CrashTests {
    @Test func kill_ofUpgradedMain_isNoticedAtOnce() throws {
        try Sandbox.run("crash.upgraded_main")
    }

    @Test func kill_ofUpgradedMain_duringALongDrain_isRestartedInSeconds() throws {
        try Sandbox.run("crash.upgraded_main_during_a_long_drain")
    }

    @Test func freeze_duringAnUpgrade_countsAgainstNoDeadline() throws {
        try Sandbox.run("freezer.during_an_upgrade")
    }

    @Test func kill_ofAllGenerations_withSocketUnit_refusesNobody() throws {
        try Sandbox.run("crash.all_with_socket_unit")
    }

    @Test func kill_ofAllGenerations_withStoredListener_refusesNobody() throws {
        try Sandbox.run("crash.all_with_stored_listener")
    }

    @Test func store_acrossUpgrades_holdsEachListenerOnceAndNoneUnused() throws {
        try Sandbox.run("store.contents")
    }

    @Test func watchdog_whenSuccessorIsStopped_restartsIt() throws {
        try Sandbox.run("watchdog.stopped_successor")
    }

    @Test func watchdog_whenClientsUseUpDescriptors_isPinged() throws {
        try Sandbox.run("descriptors.used_up_by_clients")
    }

    @Test func accept_whenItIsAlwaysDenied_costsNoProcessorAndIsReported() throws {
        try Sandbox.run("descriptors.accept_that_is_denied")
    }

    @Test func watchdog_acrossUpgrades_restartsNothing() throws {
        try Sandbox.run("watchdog.upgrades")
    }
}
