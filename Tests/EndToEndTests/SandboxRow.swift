// SPDX-License-Identifier: Apache-2.0

/// One line of the matrix: what is refused, and what becomes of an upgrade.
struct SandboxRow: Sendable, CustomStringConvertible {
    enum Outcome: Sendable {
        /// It works by another way; the server says so if there is less of something.
        case works(warning: String? = nil)
        /// It fails with this code and these words, and the predecessor serves on.
        case fails(code: String, reason: String)
    }

    let shut: Shut
    let outcome: Outcome

    var description: String { shut.description }

    init(_ options: String..., outcome: Outcome = .works()) {
        shut = Shut(options)
        self.outcome = outcome
    }

    /// A call that is answered ENOSYS, as a kernel does that does not have it, and EPERM, as a sandbox
    /// does that does not know it.
    static func refused(_ call: String, _ outcome: Outcome = .works()) -> [SandboxRow] {
        ["ENOSYS", "EPERM"].map { SandboxRow("--answer", "\(call)=\($0)", outcome: outcome) }
    }

    static let matrix: [SandboxRow] =
        [
            refused("clone/CLONE_PIDFD"),
            refused(
                "clone/CLONE_VFORK",
                .fails(
                    code: "start", reason: "a sandbox (seccomp, a security module) refuses clone")),
            refused("close_range"),
            refused("pidfd_open"),
            refused("pidfd_send_signal"),
            refused("waitid/P_PIDFD"),
            refused(
                "memfd_create",
                .works(warning: "what the successor prints goes to standard error at once")),
            refused("memfd_create/MFD_NOEXEC_SEAL"),
            refused("socket/AF_NETLINK"),
            refused("getsockopt/SO_PEERPIDFD"),
            refused("sched_setattr"),
            refused(
                "socketpair",
                .fails(
                    code: "start",
                    reason: "cannot make the channel to a successor: socketpair(AF_UNIX)")),
            more,
        ].flatMap { $0 }

    private static let withoutPidfds = ["clone/CLONE_PIDFD", "pidfd_open", "pidfd_send_signal"]
        .flatMap { ["--answer", "\($0)=ENOSYS"] }

    static let unseen = SandboxRow(withoutPidfds + ["--hidepid", "--user", "64105"])

    // No row without /proc at all: libdispatch looks for its threads there, and ends a program that
    // cannot see them as soon as its pool is busy.
    private static let more = [
        // With EPERM the C library does not go on to clone, and no thread of any program starts.
        SandboxRow("--answer", "clone3=ENOSYS"),
        SandboxRow("--memfd-noexec", "1"),
        SandboxRow("--memfd-noexec", "2"),
        SandboxRow(withoutPidfds),
        SandboxRow("--hidepid", "--user", "64101"),
        SandboxRow(withoutPidfds + ["--hidepid", "--user", "64102"]),
        SandboxRow("--limit", "nofile=64"),
        // The clone without a descriptor is refused as well: as a limit is.
        SandboxRow(
            "--answer", "clone/CLONE_VFORK=EAGAIN",
            outcome: .fails(code: "start", reason: "RLIMIT_NPROC")),
    ]

    private init(_ options: [String]) {
        shut = Shut(options)
        outcome = .works()
    }
}
