// SPDX-License-Identifier: Apache-2.0

/// Numbers as the protocol writes them: decimal digits that fit in 63 bits (docs/protocol.md §1).
///
/// The only place where text of a peer becomes a number.
package enum WireNumber {
    /// Nil: no digit at all, anything beside digits (a sign too), or a number that is too large.
    package static func parse(_ text: some StringProtocol) -> Int? {
        var value = 0
        var hasDigits = false
        for byte in text.utf8 {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            if isTooLarge || overflows { return nil }
            value = sum
            hasDigits = true
        }
        return hasDigits ? value : nil
    }

    /// Nil also for a number outside of the range.
    package static func parse(_ text: some StringProtocol, in range: ClosedRange<Int>) -> Int? {
        parse(text).flatMap { range.contains($0) ? $0 : nil }
    }
}
