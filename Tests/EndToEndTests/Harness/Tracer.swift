// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem

/// Keeps a process from ending, whatever kills it: what a sleep in the kernel that nothing
/// interrupts does, of a broken disk or network file system.
///
/// By ptrace(2) with PTRACE_O_TRACEEXIT: the kernel stops the process in the middle of its exit.
final class Tracer {
    private let process: ChildProcess

    private static let script = """
        import ctypes, signal, sys
        libc = ctypes.CDLL(None, use_errno=True)
        SEIZE, TRACE_EXIT = 0x4206, ctypes.c_void_p(0x40)
        if libc.ptrace(SEIZE, int(sys.argv[1]), None, TRACE_EXIT) != 0:
            sys.exit("ptrace: errno %d" % ctypes.get_errno())
        print("traced", flush=True)
        signal.pause()
        """

    init(_ pid: Int32) throws {
        process = try ChildProcess(
            "/usr/bin/env", ["python3", "-c", Self.script, "\(pid)"])
        _ = try process.line("traced")
    }

    /// Lets the process end.
    func release() throws {
        try process.handle.signal(Signals.kill)
        try process.waitForExit()
    }
}
