// SPDX-License-Identifier: Apache-2.0

import SwapControl
import Testing

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("30s", .seconds(30)), ("2m", .seconds(120)),
        ("1h", .seconds(3_600)), ("30", .seconds(30)), ("0", .zero), ("1.5s", .milliseconds(1_500)),
        ("0.25", .milliseconds(250)),
    ])
    func parse_whenWellFormed_givesDuration(text: String, expected: Duration) {
        #expect(DurationText.parse(text) == expected)
    }

    @Test(arguments: [
        "", "s", "-1s", "+1s", "1x", "1 s", "1d", ".5s", "5.", "1.2.3s", "1e3", "0x10", "nan",
        "inf",
        "٣s", "99999999999999999999h",
    ])
    func parse_whenMalformed_givesNil(text: String) {
        #expect(DurationText.parse(text) == nil)
    }
}
