// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation

/// A reload, as `Type=notify-reload` wants it told; a refusal has no other place than the status.
extension Supervision {
    /// The application is about to read its configuration; ``reloaded(_:)`` follows.
    func reloading() {
        say(.reloading())
    }

    /// It has, or has refused, or was never asked.
    func reloaded(_ status: String) {
        say(.ready, .status(status))
    }
}
