// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionTestKit

/// `succession-fixture`, which this package builds: beside the tests, or in `$SUCCESSION_BIN`.
enum Fixture {
    static let path: String = {
        ProcessInfo.processInfo.environment["SUCCESSION_BIN"].map { $0 + "/succession-fixture" }
            ?? TestUpgrade.builtProgram("succession-fixture")
    }()

    /// The arguments of an echo server on the port of the test.
    static func arguments(_ options: String...) -> [String] {
        ["serve", "--service", "kit", "--listen", "echo=tcp:127.0.0.1:\(TestUpgrade.port)"]
            + options
    }

    static func server(_ options: String..., limits: TestLimits = TestLimits()) throws
        -> TestUpgrade
    {
        try TestUpgrade(of: path, arguments: arguments() + options, limits: limits)
    }
}

extension ClientKind {
    /// The fixture greets each connection with its pid.
    static let fixtureEcho = ClientKind.tcp(greeting: true, requestsPerConnection: 20)
    /// Connections that outlive the upgrade.
    static let fixtureHeld = ClientKind.tcp(greeting: true, requestsPerConnection: 100_000)
}

extension TestLimits {
    static func ready(_ duration: Duration) -> TestLimits {
        var limits = TestLimits()
        limits.ready = duration
        return limits
    }
}
