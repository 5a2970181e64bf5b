// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Paths as text.
enum Path {
    /// The directory a path lies in.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last part.
    static func name(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }

    /// A hidden name for what is about to get the name `name`; one for each process.
    static func temporaryName(for name: String) -> String {
        "\(temporaryPrefix)\(ProcessEnvironment.processID).\(name)"
    }

    static let temporaryPrefix = ".swapctl."

    /// The pid in a name that ``temporaryName(for:)`` made.
    static func temporaryOwner(_ name: String) -> Int32? {
        guard name.hasPrefix(temporaryPrefix) else { return nil }
        return name.dropFirst(temporaryPrefix.count).split(separator: ".").first.flatMap {
            Int32($0)
        }
    }

    /// An absolute path, from the working directory.
    static func absolute(_ path: String) throws(ControlError) -> String {
        if path.hasPrefix("/") { return path }
        let directory = try attempt("cannot tell the working directory") {
            () throws(Errno) in try ProcessEnvironment.workingDirectory()
        }
        return directory == "/" ? "/" + path : directory + "/" + path
    }

    /// The home directory of whoever runs this: `HOME`, else what the user database says.
    static var home: String? {
        // That of the site's owner, where root works with other rights than its own.
        let userID = (try? UserRights.ofThread())?.userID
        if let userID, userID != ProcessEnvironment.effectiveUserID {
            return User.withID(userID)?.home
        }
        if let home = ProcessEnvironment.value("HOME"), home.hasPrefix("/") { return home }
        return User.withID(ProcessEnvironment.effectiveUserID)?.home
    }

    /// The path below `directory`, if it lies there: `app.1.0` of `/srv/app/release/app.1.0`.
    static func relative(_ path: String, to directory: String) -> String? {
        path.hasPrefix(directory + "/") ? String(path.dropFirst(directory.count + 1)) : nil
    }
}
