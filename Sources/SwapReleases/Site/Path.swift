// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Paths as text.
enum Path {
    /// The directory part.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last part.
    static func name(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }

    /// A hidden name for a file that is to get the name `name`; different in each process, also in those of
    /// other pid namespaces.
    static func temporaryName(for name: String) -> String {
        "\(temporaryPrefix)\(ProcessEnvironment.processID).\(token).\(name)"
    }

    private static let token = String(UInt32.random(in: 0 ... .max), radix: 16)

    static let temporaryPrefix = ".swapctl."

    /// The pid in a name from ``temporaryName(for:)``.
    static func temporaryOwner(_ name: String) -> Int32? {
        guard name.hasPrefix(temporaryPrefix) else { return nil }
        return name.dropFirst(temporaryPrefix.count).split(separator: ".").first.flatMap {
            Int32($0)
        }
    }

    /// The absolute path, relative to the working directory.
    static func absolute(_ path: String) throws(ControlError) -> String {
        if path.hasPrefix("/") { return path }
        let directory = try attempt("cannot read the working directory") {
            () throws(Errno) in try ProcessEnvironment.workingDirectory()
        }
        return directory == "/" ? "/" + path : directory + "/" + path
    }

    /// The home directory of the user: `HOME`, else that of the user database.
    static var home: String? {
        // Where root works with the rights of the site's owner, the home of that owner.
        let userID = (try? UserRights.ofThread())?.userID
        if let userID, userID != ProcessEnvironment.effectiveUserID {
            return User.withID(userID)?.home
        }
        if let home = ProcessEnvironment.value("HOME"), home.hasPrefix("/") { return home }
        return User.withID(ProcessEnvironment.effectiveUserID)?.home
    }

    /// The path below `directory`: `app.1.0` for `/srv/app/release/app.1.0`; nil if it is not below.
    static func relative(_ path: String, to directory: String) -> String? {
        path.hasPrefix(directory + "/") ? String(path.dropFirst(directory.count + 1)) : nil
    }
}
