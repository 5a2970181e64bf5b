// SPDX-License-Identifier: Apache-2.0

import Testing

/// What socket units hand to a server.
@Suite(.serialized, .enabled(if: Sandbox.isPossible)) struct SocketTests {
    @Test func socketUnit_ofThirteenKinds_eachArrivesWithNameAndAddress() throws {
        try Sandbox.run("sockets.arrive")
    }

    @Test func socketUnit_ofThirteenKinds_eachSurvivesAnUpgrade() throws {
        try Sandbox.run("sockets.upgrade")
    }

    @Test func socketUnit_thatPassesConnections_isRefusedByName() throws {
        try Sandbox.run("sockets.accept_yes")
    }

    @Test func instances_onOneSocketUnit_moveTheServiceFromOneToTheOther() throws {
        try Sandbox.run("instances.a_and_b")
    }
}
