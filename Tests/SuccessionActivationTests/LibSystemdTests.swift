// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SuccessionActivation

#if Systemd
import CSystemd

/// The library that is looked up by name against the one that is linked by its header.
extension ManagerTests {
    /// The compiler compares the types that are assumed with those in sd-daemon.h.
    private static let listenFDs: LibSystemd.ListenFDsWithNames = sd_listen_fds_with_names
    private static let notify: LibSystemd.NotifyWithFDs = sd_pid_notify_with_fds
    private static let barrier: LibSystemd.NotifyBarrier = sd_notify_barrier

    @Test func library_whenNoManagerIsThere_saysWhatTheLinkedOneSays() throws {
        let library = try LibSystemd.shared.get()
        var names: LibSystemd.StringArray?
        #expect(library.listenFDsWithNames(0, &names) == Self.listenFDs(0, &names))
        #expect(library.notifyWithFDs(0, 0, "X=1", nil, 0) == Self.notify(0, 0, "X=1", nil, 0))
        #expect(library.notifyBarrier?(0, 0) == Self.barrier(0, 0))
    }

    @Test func firstDescriptor_isTheOneOfTheHeader() {
        #expect(ListenDescriptors.start == SD_LISTEN_FDS_START)
    }
}
#endif
