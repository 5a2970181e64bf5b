// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SuccessionActivation

#if Systemd
import CSystemd

/// The library that is looked up by name against the one that is linked by its header.
@Suite struct LibSystemdTests {
    /// The compiler compares the type that is assumed with the one in sd-daemon.h.
    private let declared: LibSystemd.ListenFDsWithNames = sd_listen_fds_with_names

    @Test func listenFDs_whenNothingIsPassed_isWhatTheLinkedLibrarySays() throws {
        var names: LibSystemd.StringArray?
        #expect(try LibSystemd().listenFDsWithNames(0, &names) == declared(0, &names))
        #expect(try ListenDescriptors.take().isEmpty)
    }

    @Test func firstDescriptor_isTheOneOfTheHeader() {
        #expect(ListenDescriptors.start == SD_LISTEN_FDS_START)
    }
}
#endif
