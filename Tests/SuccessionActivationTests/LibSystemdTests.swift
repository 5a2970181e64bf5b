// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

@testable import SuccessionActivation

#if Systemd
import CSystemd

/// The library that is looked up by name against the one that is linked by its header.
extension ManagerTests {
    /// The compiler compares the type that is assumed with that in sd-daemon.h.
    private static let listenFDs: LibSystemd.ListenFDsWithNames = sd_listen_fds_with_names

    @Test func library_whenNoManagerIsThere_saysWhatTheLinkedOneSays() throws {
        let library = try LibSystemd.shared.get()
        var names: LibSystemd.StringArray?
        #expect(library.listenFDsWithNames(0, &names) == Self.listenFDs(0, &names))
    }

    /// The datagram is the one of the library, whose protocol it is.
    @Test func message_isWhatTheLinkedLibrarySends() async throws {
        try await withManager { manager, fake in
            let (read, _) = try Syscall.pipe(nonBlocking: true)
            let text = "READY=1\nSTATUS=generation 1 serves"
            #expect(sd_pid_notify_with_fds(0, 0, text, [read.rawValue], 1) > 0)
            manager.submit(
                [.ready, .status("generation 1 serves")], descriptors: [read]
            ) { _ in }
            let (theirs, ours) = (try fake.receive(), try fake.receive())
            #expect(ours.lines == theirs.lines)
            #expect(ours.descriptors.count == 1 && theirs.descriptors.count == 1)
        }
    }

    @Test func firstDescriptor_isTheOneOfTheHeader() {
        #expect(ListenDescriptors.start == SD_LISTEN_FDS_START)
    }
}
#endif
