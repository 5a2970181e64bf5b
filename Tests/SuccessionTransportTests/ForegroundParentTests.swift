// SPDX-License-Identifier: Apache-2.0

import Glibc
import SuccessionSystem
import SuccessionTransport
import SystemPackage
import Testing

extension TransportTests {
    /// What happens before there is a generation; EndToEndTests have those with one.
    @Suite struct ForegroundParentTests {
        @Test func run_whenTheFirstCannotBeStarted_throwsAndRestoresSignals() throws {
            let place = try TemporaryRuntimeDirectory()
            let child = SpawnRequest(path: "/nonexistent/server", arguments: ["server"])
            let parent = ForegroundParent(place.directory, child: child)
            var started: [Int32] = []
            #expect(throws: Errno.noSuchFileOrDirectory) {
                _ = try parent.run { started.append($0) }
            }
            #expect(started == [])
            #expect(try place.entries() == [])
            var current = sigaction()
            sigaction(SIGUSR2, nil, &current)
            #expect(current.__sigaction_handler.sa_handler == nil, "a handler is left")
        }
    }
}
