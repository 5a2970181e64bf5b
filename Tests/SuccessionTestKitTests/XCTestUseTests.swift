// SPDX-License-Identifier: Apache-2.0

import SuccessionTestKit
import XCTest

/// The same in the other framework.
final class XCTestUseTests: XCTestCase {
    func testUpgrade_inXCTest_losesNothing() async throws {
        let server = try Fixture.server()
        try await server.start()
        let clients = try await server.clients(.fixtureEcho, count: 2)
        let report = try await server.upgrade()
        let seen = await clients.stop()
        XCTAssertTrue(report.isClean, "\(report)")
        XCTAssertTrue(seen.lost.isEmpty, "\(seen)")
    }
}
