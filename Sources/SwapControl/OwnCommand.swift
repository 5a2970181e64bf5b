// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem

/// The command line of this process.
package enum OwnCommand {
    /// What comes after the name of the program; also where /proc is not mounted.
    package static func words() -> [String] {
        Array(ProcessEnvironment.arguments().dropFirst())
    }
}
