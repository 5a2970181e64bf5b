// SPDX-License-Identifier: Apache-2.0

import Testing

/// Upgrades inside a unit, by systemctl reload and by swapctl.
@Suite(.serialized, .enabled(if: Sandbox.isPossible)) struct ReloadTests {
    @Test func reload_twentyTimes_failsNoRequestAndMovesMainPID() throws {
        try Sandbox.run("reload.twenty_times")
    }

    @Test func reload_underUserManager_failsNoRequestAndMovesMainPID() throws {
        try Sandbox.run("reload.under_user_manager")
    }

    @Test func reload_ofBrokenRelease_failsWithItsReasonAndLeavesTheOldOne() throws {
        try Sandbox.run("reload.broken_release")
    }

    @Test func reload_whileOneRuns_waitsForIt() throws {
        try Sandbox.run("reload.while_one_runs")
    }

    @Test func reload_ofConfiguration_holdsOrFailsWithItsReason() throws {
        try Sandbox.run("configuration.reload")
    }

    @Test func release_whenWatchedByAUnit_servesOrIsRefused() throws {
        try Sandbox.run("releases.watch")
    }

    @Test func release_whenWatchedByAUnit_inASiteOfAnotherUser_servesOrIsRefused() throws {
        try Sandbox.run("releases.watch_of_another_user")
    }

    @Test func startAndReload_longerThanTimeout_succeed() throws {
        try Sandbox.run("reload.slower_than_timeout")
    }

    @Test func swapctl_inAShellOutside_upgradesAsReloadDoes() throws {
        try Sandbox.run("shell.without_private_users")
    }

    @Test func swapctl_inAShellOutside_withPrivateUsers_upgradesAsReloadDoes() throws {
        try Sandbox.run("shell.hardened")
    }

    @Test func successor_ofUnitsFirstProcess_isNotGivenItsEnvironment() throws {
        try Sandbox.run("inside.environment")
    }

    @Test func successor_inHardenedUnit_isConfinedAsItsPredecessor() throws {
        try Sandbox.run("inside.sandboxing")
    }

    @Test func status_ofDeliveredUnit_showsItAndWarnsOfNothing() throws {
        try Sandbox.run("status.delivered_unit")
    }

    @Test func status_ofUnitWithHarmfulSettings_warnsOfEach() throws {
        try Sandbox.run("status.hurtful_unit")
    }
}
