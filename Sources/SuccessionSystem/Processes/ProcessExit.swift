// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// What is to be done when the process leaves: names removed from the file system.
package enum ProcessExit {
    private static let handlers = Mutex<[@Sendable () -> Void]>([])

    /// Has `handler` called once when the process returns from main or calls `exit`; not when a
    /// signal ends it.
    ///
    /// The corresponding C function is `atexit`.
    package static func onExit(_ handler: @escaping @Sendable () -> Void) {
        let isFirst = handlers.withLock { handlers in
            handlers.append(handler)
            return handlers.count == 1
        }
        if isFirst { atexit { ProcessExit.runHandlers() } }
    }

    /// Calls the handlers now; they are not called again.
    package static func runHandlers() {
        let all = handlers.withLock { handlers in
            defer { handlers = [] }
            return handlers
        }
        for handler in all { handler() }
    }

    /// Ends the process without further ado.
    ///
    /// The corresponding C function is `_exit`.
    package static func immediately(status: CInt) -> Never {
        _exit(status)
    }
}
