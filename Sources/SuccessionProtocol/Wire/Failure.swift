// SPDX-License-Identifier: Apache-2.0

/// Why an upgrade or a request failed: a code for programs and a sentence for a person.
package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    package var code: FailureCode
    package var reason: String

    package init(code: FailureCode, reason: String) {
        self.code = code
        self.reason = reason
    }

    package var description: String { reason }
}

extension Failure {
    /// A reason may quote anything an application says; it must not outgrow the packet.
    private static let maximumReasonScalars = 4096

    /// Reads `CODE=` and `REASON=` of an `abort`, a `refused` or a `result`.
    ///
    /// A message without them is no mistake worth another failure: the code is then `application`.
    init(_ message: Message) {
        let code = message.text(.code) ?? ""
        let reason = message.text(.reason) ?? ""
        self.init(
            code: code.isEmpty ? .application : FailureCode(rawValue: code),
            reason: reason.isEmpty ? "no reason was given" : reason)
    }

    /// Adds `CODE=` and `REASON=`.
    func add(to message: inout Message) {
        message.add(.code, code.rawValue)
        message.add(.reason, String(reason.unicodeScalars.prefix(Self.maximumReasonScalars)))
    }
}
