// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc
package import SystemPackage

/// Tells of changes to the names in directories; see inotify(7).
package struct DirectoryWatch: Sendable {
    package struct Event: Sendable, Hashable {
        /// Which directory, as ``add(_:)`` returned it; -1 for an overflow.
        package var watch: CInt
        package var kind: Kind
        /// Empty for the directory itself.
        package var name: String

        package init(watch: CInt, kind: Kind, name: String) {
            self.watch = watch
            self.kind = kind
            self.name = name
        }
    }

    package struct Kind: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// Somebody closed a file that he had opened for writing.
        package static let written = bits(CSUCCESSION_WRITTEN)
        /// A name was made, or a file was moved to it.
        package static let named = bits(CSUCCESSION_NAME_CHANGED)
        package static let nameGone = bits(CSUCCESSION_NAME_GONE)
        /// Times, permissions or owner.
        package static let touched = bits(CSUCCESSION_TOUCHED)
        /// The directory was moved or removed: its path leads elsewhere now, or nowhere.
        package static let directoryGone = bits(
            CSUCCESSION_SELF_GONE, CSUCCESSION_UNMOUNTED, CSUCCESSION_IGNORED)
        /// More happened than the kernel keeps: anything may have changed.
        package static let overflow = bits(CSUCCESSION_OVERFLOW)

        private static func bits(_ bits: Int...) -> Kind {
            Kind(rawValue: bits.reduce(0) { $0 | UInt32($1) })
        }
    }

    package let descriptor: OwnedDescriptor

    /// The corresponding C function is `inotify_init1`.
    package init() throws(Errno) {
        descriptor = try Syscall.owned(csuccession_inotify())
    }

    /// Begins to watch a directory.
    ///
    /// ENOTDIR: it is none. ENOSPC: the user has too many watches. The corresponding C function is
    /// `inotify_add_watch`.
    package func add(_ path: String) throws(Errno) -> CInt {
        try Syscall.checkPath(path)
        let wanted: Kind = [.written, .named, .nameGone, .touched, .directoryGone]
        return try Syscall.shim(
            csuccession_inotify_add(descriptor.rawValue, path, wanted.rawValue & 0xFFF))
    }

    /// The same for a directory that is open, wherever its path leads now.
    package func add(_ directory: Directory) throws(Errno) -> CInt {
        try directory.descriptor.withRawValue { (fd) throws(Errno) in
            do throws(Errno) {
                return try add("/proc/self/fd/\(fd)")
            } catch {
                // /proc is not mounted: the watch only says when to look.
                guard error == .noSuchFileOrDirectory else { throw error }
                return try add(directory.path)
            }
        }
    }

    /// What has happened since the last call; empty if nothing has.
    ///
    /// Does not wait.
    package func events() throws(Errno) -> [Event] {
        var events: [Event] = []
        while true {
            do {
                events += Self.parse(try Syscall.read(descriptor.rawValue, count: 65_536))
            } catch {
                if error == .wouldBlock { return events }
                throw error
            }
        }
    }

    /// `struct inotify_event`: watch, mask, cookie, length of the name, and the name with zeros
    /// behind it.
    private static func parse(_ bytes: [UInt8]) -> [Event] {
        bytes.withUnsafeBytes { buffer in
            var events: [Event] = []
            var offset = 0
            while offset + 16 <= buffer.count {
                func field(_ index: Int) -> UInt32 {
                    buffer.loadUnaligned(fromByteOffset: offset + 4 * index, as: UInt32.self)
                }
                let end = offset + 16 + Int(field(3))
                guard end <= buffer.count else { break }
                let name = buffer[(offset + 16)..<end].prefix { $0 != 0 }
                events.append(
                    Event(
                        watch: CInt(bitPattern: field(0)), kind: Kind(rawValue: field(1)),
                        name: String(decoding: name, as: UTF8.self)))
                offset = end
            }
            return events
        }
    }
}
