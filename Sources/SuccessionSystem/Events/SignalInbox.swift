// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// Turns signals to this process into calls on the control thread.
///
/// A handler and a pipe, and no signalfd: that would need the signals blocked in every thread,
/// those of the application too.
@ControlThread
package final class SignalInbox {
    private let readEnd: OwnedDescriptor
    private let writeEnd: OwnedDescriptor
    private let numbers: [CInt]

    package init(_ numbers: [CInt], handler: @escaping @ControlThread (CInt) -> Void) throws(Errno)
    {
        (readEnd, writeEnd) = try Syscall.pipe(nonBlocking: true)
        self.numbers = numbers
        let readEnd = self.readEnd
        try ControlThread.watch(readEnd.rawValue) {
            let bytes = (try? Syscall.read(readEnd.rawValue, count: 64)) ?? []
            for byte in bytes { handler(CInt(byte)) }
        }
        try SignalRelay.install(numbers, writingTo: writeEnd.rawValue)
    }

    package func stop() {
        SignalRelay.restoreDefault(numbers)
        ControlThread.unwatch(readEnd.rawValue)
        readEnd.close()
        writeEnd.close()
    }
}
