// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SuccessionTransport
import SystemPackage

/// A service by its name, and the directory that holds the control sockets of its generations.
package struct Service: Sendable, Hashable {
    package let name: String
    package let directory: RuntimeDirectory
    /// False: the directory was given without a name, and the service in it may have any.
    let isNamed: Bool

    /// The numbers of the generations that have a control socket, whether or not they are alive.
    package var generations: [Int] { directory.generations() }

    /// The path of that directory.
    package var runtimeDirectory: String { directory.path }

    init(name: String, directory: RuntimeDirectory, isNamed: Bool = true) {
        self.name = name
        self.directory = directory
        self.isNamed = isNamed
    }

    /// Finds the directory of a service; does not check that a server runs.
    package static func locate(
        _ name: String, runtimeDirectory: String? = nil
    ) throws(ControlError) -> Service {
        guard RuntimeDirectory.isValidServiceName(name) else {
            throw .usage("'\(name.terminalSafe)' cannot be the name of a service")
        }
        if RuntimeDirectory.isOfTheSystem(name, explicit: runtimeDirectory) {
            throw .usage(
                "'\(name)' cannot be the name of a service: /run/\(name) is the system's; give --runtime-directory if its sockets are elsewhere"
            )
        }
        guard let directory = RuntimeDirectory.locate(service: name, explicit: runtimeDirectory)
        else {
            if let other = directoryOfRoot(name) {
                throw .permission(path: other.path, owner: other.owner)
            }
            throw .noSuchService(nowhereToLook)
        }
        return Service(name: name, directory: directory)
    }

    static let nowhereToLook =
        "no directory to look in: XDG_RUNTIME_DIR is not set; give --runtime-directory, "
        + "set SUCCESSION_RUNTIME_DIRECTORY, or run swapctl as root"

    /// The directory that a service of this name would have if root ran it; nil: there is none, or this process is root.
    private static func directoryOfRoot(_ name: String) -> (path: String, owner: UInt32)? {
        let path = "/run/" + name
        guard ProcessEnvironment.effectiveUserID != 0, let facts = try? Syscall.status(path),
            facts.isDirectory,
            !RuntimeDirectory.isOfTheSystem(name, explicit: path)
        else { return nil }
        return (path, facts.userID)
    }

    /// Throws, with what to check, if the directory cannot be listed.
    func checkDirectory() throws(ControlError) {
        do {
            _ = try Syscall.listDirectory(directory.path)
        } catch {
            switch error {
            case .noSuchFileOrDirectory:
                let isDefault = RuntimeDirectory.parents.contains {
                    $0 + "/" + name == directory.path
                }
                if isDefault, let other = Self.directoryOfRoot(name) {
                    throw .permission(path: other.path, owner: other.owner)
                }
                throw .noSuchService(
                    "no service '\(name)': there is no directory \(directory.path); check the name, "
                        + "that the server runs, and its RUNTIME_DIRECTORY, or give --runtime-directory"
                )
            case .permissionDenied:
                let owner = (try? Syscall.status(directory.path))?.userID
                throw .permission(path: directory.path, owner: owner)
            default:
                throw .system("cannot look into \(directory.path)", error)
            }
        }
    }
}
