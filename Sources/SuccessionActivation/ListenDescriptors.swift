// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Synchronization

/// The descriptors a service manager passes to the process it starts (sd_listen_fds(3)).
public enum ListenDescriptors {
    /// Number of the first descriptor that is passed (SD_LISTEN_FDS_START).
    static let start: CInt = 3

    private static let isTaken = Mutex(false)

    /// All of them; empty if there are none, if they are meant for another process, or if a
    /// `Generation` has taken them.
    ///
    /// Each is set close-on-exec and non-blocking: the manager passes them with neither. They stay
    /// open and may be asked for again; a caller that closes one must be its only user.
    /// Numbers that are not there are an error, and never silently "no sockets": a server that
    /// bound afresh instead would take the manager's place.
    public static func all() throws(ActivationError) -> [ListenDescriptor] {
        if isTaken.withLock({ $0 }) { return [] }
        return try passed().enumerated().map { (index, name) throws(ActivationError) in
            let number = start + CInt(index)
            try prepare(number)
            return ListenDescriptor(name: name, descriptor: number)
        }
    }

    /// The first of a name that is of the same kind as `address` (`tcp:*:8080`), preferably at that
    /// address; nil if there is none.
    ///
    /// Where a socket listens is for the unit to decide, and the order in which several units pass
    /// theirs is not stable.
    public static func first(
        named name: String, like address: String
    ) throws(ActivationError) -> ListenDescriptor? {
        let ofKind = try all().filter {
            $0.name == name && $0.kind == ListenDescriptor.kind(address)
        }
        return ofKind.first { $0.address == address } ?? ofKind.first
    }

    /// Takes them over from the environment: who gets them owns them, and there are none any more.
    package static func take() throws(ActivationError) -> [ActivatedDescriptor] {
        let all = try all()
        isTaken.withLock { $0 = !all.isEmpty }
        return all.map {
            ActivatedDescriptor(
                name: $0.name, descriptor: OwnedDescriptor(taking: $0.descriptor))
        }
    }

    /// Names in the order of the numbers.
    private static func passed() throws(ActivationError) -> [String] {
        #if Systemd
        guard ProcessEnvironment.value("LISTEN_FDS") != nil, isMeant() else { return [] }
        var names: LibSystemd.StringArray?
        let count = try LibSystemd.shared.get().listenFDsWithNames(0, &names)
        if count < 0 {
            throw ActivationError(
                .malformedEnvironment,
                "LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES do not fit together (error \(-count))")
        }
        defer { release(names, count: count) }
        return (0..<Int(count)).map { index in
            names.flatMap { $0[index] }.map { String(cString: $0) } ?? "unknown"
        }
        #else
        let pid = ProcessEnvironment.value("LISTEN_PID")
        guard pid == "\(ProcessEnvironment.processID)" else { return [] }
        throw ActivationError(
            .noLibrary,
            "the service manager passes sockets, but this program was built without the trait Systemd"
        )
        #endif
    }

    #if Systemd
    /// A number may be this process's because another one that had it is gone; since 259 managers
    /// say which of them they mean, and libsystemd looks at it from then on.
    private static func isMeant() -> Bool {
        guard let text = ProcessEnvironment.value("LISTEN_PIDFDID"), let meant = UInt64(text),
            let own = try? ProcessHandle.open(ProcessEnvironment.processID).identity
        else { return true }
        return meant == own
    }

    private static func release(_ names: LibSystemd.StringArray?, count: CInt) {
        guard let names else { return }
        for index in 0..<Int(count) { Heap.free(names[index]) }
        Heap.free(names)
    }
    #endif

    private static func prepare(_ number: CInt) throws(ActivationError) {
        do {
            try Syscall.setCloseOnExec(number, true)
            try Syscall.setNonBlocking(number, true)
        } catch {
            throw ActivationError(.malformedEnvironment, "descriptor \(number): \(error)")
        }
    }
}
