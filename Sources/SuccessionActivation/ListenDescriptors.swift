// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem

/// A descriptor given by a service manager, under the name of its socket unit.
package struct ActivatedDescriptor: Sendable {
    package let name: String
    package let descriptor: OwnedDescriptor
}

/// Why the service manager's descriptors could not be taken.
package struct ActivationError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

/// The descriptors a service manager passes to the process it starts (sd_listen_fds(3)).
package enum ListenDescriptors {
    /// Number of the first descriptor that is passed (SD_LISTEN_FDS_START).
    static let start: CInt = 3

    /// Takes them; empty if there are none, or if they are meant for another process.
    ///
    /// Each is set close-on-exec and non-blocking: the manager passes them with neither. Numbers
    /// that are not there are an error, and never silently "no sockets": a server that bound afresh
    /// instead would take the manager's place.
    package static func take() throws(ActivationError) -> [ActivatedDescriptor] {
        #if Systemd
        guard ProcessEnvironment.value("LISTEN_FDS") != nil else { return [] }
        var names: LibSystemd.StringArray?
        let count = try LibSystemd().listenFDsWithNames(0, &names)
        if count < 0 {
            throw ActivationError(
                description:
                    "LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES do not fit together (error \(-count))"
            )
        }
        defer { release(names, count: count) }
        return try (0..<Int(count)).map { (index) throws(ActivationError) in
            let text = names.flatMap { $0[index] }.map { String(cString: $0) } ?? "unknown"
            return ActivatedDescriptor(
                name: text, descriptor: try adopt(start + CInt(index)))
        }
        #else
        let pid = ProcessEnvironment.value("LISTEN_PID")
        guard pid == "\(ProcessEnvironment.processID)" else { return [] }
        throw ActivationError(
            description:
                "the service manager passes sockets, but this program was built without the trait Systemd"
        )
        #endif
    }

    #if Systemd
    private static func release(_ names: LibSystemd.StringArray?, count: CInt) {
        guard let names else { return }
        for index in 0..<Int(count) { Heap.free(names[index]) }
        Heap.free(names)
    }

    private static func adopt(_ number: CInt) throws(ActivationError) -> OwnedDescriptor {
        do {
            try Syscall.setCloseOnExec(number, true)
            try Syscall.setNonBlocking(number, true)
        } catch {
            throw ActivationError(description: "descriptor \(number): \(error)")
        }
        return OwnedDescriptor(taking: number)
    }
    #endif
}
