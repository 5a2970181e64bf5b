// SPDX-License-Identifier: Apache-2.0

import CSuccession
import Glibc

/// How a file is opened; always close-on-exec.
package struct OpenFlags: OptionSet, Sendable, Hashable {
    package let rawValue: CInt

    package init(rawValue: CInt) {
        self.rawValue = rawValue
    }

    package static let readOnly = OpenFlags(rawValue: O_RDONLY)
    package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    package static let readWrite = OpenFlags(rawValue: O_RDWR)
    package static let create = OpenFlags(rawValue: O_CREAT)
    /// With `create`: EEXIST if the file is there.
    package static let exclusive = OpenFlags(rawValue: O_EXCL)
    package static let truncate = OpenFlags(rawValue: O_TRUNC)
    package static let append = OpenFlags(rawValue: O_APPEND)
    /// ENOTDIR for what is no directory.
    package static let directory = OpenFlags(rawValue: O_DIRECTORY)
    /// ELOOP for a symbolic link.
    package static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    /// Names the file without opening it.
    package static let pathOnly = OpenFlags(rawValue: csuccession_open_path_only())

    package static let readWriteCreate: OpenFlags = [.readWrite, .create]
    package static let pathOnlyDirectory: OpenFlags = [.pathOnly, .directory]
}
