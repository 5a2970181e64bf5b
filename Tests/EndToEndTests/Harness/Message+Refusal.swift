// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension Message {
    /// Why a request was declined; nil: it is no refusal.
    var refusal: Failure? { (try? Wire.Refused(self))?.failure }
}
