// SPDX-License-Identifier: Apache-2.0

import CSuccession
package import SystemPackage

/// A program that is to be started.
///
/// It begins with default signal dispositions but for ``ignoredSignals``, no signal blocked, and
/// no descriptors above 2 but those named here.
package struct SpawnRequest: Sendable {
    /// Not searched for in PATH.
    package var path: String
    /// From `argv[0]` on.
    package var arguments: [String]
    /// Entries `KEY=VALUE`.
    package var environment: [String]
    /// Which descriptor of this process has which number in the new one.
    ///
    /// Targets may be 0, 1 and 2; a source may be another one's target. Of 0, 1 and 2 those that
    /// are no targets are kept as they are. The sources stay the caller's.
    package var descriptors: [(source: CInt, target: CInt)]
    /// The variable LISTEN_PID is set to the number of the new process, which only that process
    /// itself knows in time.
    package var setsListenPID: Bool
    /// The program leads a session of its own.
    package var newSession: Bool
    /// The program becomes a child of this process's parent, who then must wait for it; not for
    /// process 1 of a pid namespace (EINVAL).
    package var asSibling: Bool
    /// A directory to change to, as a descriptor.
    package var workingDirectory: CInt?
    /// The program runs as this user, in these groups; nil: as this process.
    ///
    /// Its session keyring is a new one. EPERM: only root may.
    package var user: UserRights?
    /// What is ignored when the program begins.
    package var ignoredSignals = IgnoredSignals()

    package init(
        path: String, arguments: [String], environment: [String] = ProcessEnvironment.snapshot(),
        descriptors: [(source: CInt, target: CInt)] = [], setsListenPID: Bool = false,
        newSession: Bool = false, asSibling: Bool = false, workingDirectory: CInt? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.descriptors = descriptors
        self.setsListenPID = setsListenPID
        self.newSession = newSession
        self.asSibling = asSibling
        self.workingDirectory = workingDirectory
    }

    /// Starts the program, and returns once it runs in the place of this one's copy.
    ///
    /// Nothing is left behind by a failure. ENOENT: there is no such file, or its interpreter is
    /// missing. EACCES: it may not be executed. ENOEXEC: it is no program. EBADF: a source is not
    /// open. The memory of this process is not copied, whatever its size. Blocks for as long as
    /// reading the program takes, on a file system that hangs for ever: see ``Launch``. The
    /// corresponding C functions are `clone` and `execve`.
    package func spawn() throws(Errno) -> ProcessHandle {
        var progress = Self.nothingYet
        return try spawn(&progress).get()
    }

    /// What is known of a program before it is started.
    static let nothingYet = csuccession_spawn_progress(
        pid: 0, pidfd: -1, error: 0, is_abandoned: 0)

    /// The same, and says on the way how far it is; calls `returned` before anything else is done
    /// with the new process.
    func spawn(
        _ progress: UnsafeMutablePointer<csuccession_spawn_progress>, returned: () -> Void = {}
    ) -> Result<ProcessHandle, Errno> {
        do throws(Errno) {
            try checkStrings()
        } catch {
            returned()
            return .failure(error)
        }
        var environment = environment
        if setsListenPID {
            environment.removeAll { $0.hasPrefix(Self.listenPID) }
            // Room for any pid; the child puts its own there.
            environment.append(Self.listenPID + String(repeating: "0", count: 11))
        }
        let arguments = StringVector(arguments)
        let variables = StringVector(environment)
        let pid = run(arguments, variables, progress)
        withExtendedLifetime((arguments, variables)) {}
        returned()
        let pidfd = progress.pointee.pidfd
        let descriptor = pidfd >= 0 ? OwnedDescriptor(taking: pidfd) : nil
        guard pid > 0 else { return .failure(Errno(rawValue: -pid)) }
        guard progress.pointee.error == 0 else {
            csuccession_discard(progress, asSibling ? 1 : 0)
            return withExtendedLifetime(descriptor) {
                .failure(Errno(rawValue: progress.pointee.error))
            }
        }
        return .success(ProcessHandle(processID: pid, pidfd: descriptor))
    }

    private static let listenPID = "LISTEN_PID="

    private func run(
        _ arguments: StringVector, _ variables: StringVector,
        _ progress: UnsafeMutablePointer<csuccession_spawn_progress>
    ) -> CInt {
        let sources = descriptors.map(\.source)
        let targets = descriptors.map(\.target)
        var scratch = [CInt](repeating: -1, count: descriptors.count)
        let groups = StableGroups(user?.groups ?? [])
        defer { withExtendedLifetime(groups) {} }
        return path.withCString { path in
            sources.withUnsafeBufferPointer { sources in
                targets.withUnsafeBufferPointer { targets in
                    scratch.withUnsafeMutableBufferPointer { scratch in
                        var request = csuccession_spawn_request()
                        request.path = path
                        request.arguments = arguments.pointer
                        request.environment = variables.pointer
                        request.sources = sources.baseAddress
                        request.targets = targets.baseAddress
                        request.scratch = scratch.baseAddress
                        request.count = sources.count
                        if setsListenPID {
                            request.own_pid = variables.lastString?
                                .advanced(by: Self.listenPID.utf8.count)
                        }
                        request.new_session = newSession ? 1 : 0
                        request.as_sibling = asSibling ? 1 : 0
                        request.working_directory = workingDirectory ?? -1
                        request.ignored_signals = ignoredSignals.rawValue
                        if let user {
                            request.has_user = 1
                            request.user = user.userID
                            request.group = user.groupID
                            request.groups = UnsafePointer(groups.buffer.baseAddress)
                            request.group_count = groups.buffer.count
                        }
                        return csuccession_spawn(&request, progress)
                    }
                }
            }
        }
    }

    private func checkStrings() throws(Errno) {
        try Syscall.checkPath(path)
        for text in arguments + environment { try Syscall.checkPath(text) }
        if descriptors.contains(where: { $0.target < 0 }) { throw .badFileDescriptor }
    }
}

/// Numbers of groups at an address that stays.
private final class StableGroups {
    let buffer: UnsafeMutableBufferPointer<UInt32>

    init(_ groups: [UInt32]) {
        buffer = .allocate(capacity: groups.count)
        _ = buffer.initialize(from: groups)
    }

    deinit { buffer.deallocate() }
}
