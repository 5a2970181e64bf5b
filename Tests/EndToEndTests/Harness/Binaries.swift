// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The release binaries under test, as `make build` leaves them.
enum Binaries {
    static let directory: String =
        ProcessInfo.processInfo.environment["SUCCESSION_BIN"]
        ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "dist/bin").path

    static let swapctl = directory + "/swapctl"
    static let fixture = directory + "/succession-fixture"
    static let load = directory + "/succession-load"
    static let sandbox = directory + "/succession-sandbox"
    static let web = directory + "/web"
    static let lifecycle = directory + "/lifecycle"
}
