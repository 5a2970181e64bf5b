// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The end of a run: a duration, the end of standard input, or SIGINT or SIGTERM.
enum StopSignal {
    /// Lets SIGINT and SIGTERM through only inside `wait`, so that none is missed before it.
    static func prepare() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&signals, number)
            signal(number) { _ in }
        }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Returns when the run shall end.
    static func wait(duration: Int64?) {
        var none = sigset_t()
        sigemptyset(&none)
        if let duration {
            var limit = timespec(
                tv_sec: Int(duration / 1_000_000_000), tv_nsec: Int(duration % 1_000_000_000))
            _ = pselect(0, nil, nil, nil, &limit, &none)
            return
        }
        while true {
            var input = fd_set()
            input.__fds_bits.0 = 1 << STDIN_FILENO
            guard pselect(STDIN_FILENO + 1, &input, nil, nil, nil, &none) > 0 else { return }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) > 0 else { return }
        }
    }
}
