// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SuccessionTransport
import SystemPackage

/// A service as the operator names it, and the directory where its generations are found.
package struct Service: Sendable, Hashable {
    package let name: String
    package let directory: RuntimeDirectory
    /// False if the directory was given without a name: any service may then be found in it.
    let isNamed: Bool

    /// The path of that directory.
    package var runtimeDirectory: String { directory.path }

    init(name: String, directory: RuntimeDirectory, isNamed: Bool = true) {
        self.name = name
        self.directory = directory
        self.isNamed = isNamed
    }

    /// Finds the directory of a service; whether anybody answers there is not asked yet.
    package static func locate(
        _ name: String, runtimeDirectory: String? = nil
    ) throws(ControlError) -> Service {
        guard RuntimeDirectory.isValidServiceName(name) else {
            throw .usage("'\(name.harmless)' cannot be the name of a service")
        }
        guard let directory = RuntimeDirectory.locate(service: name, explicit: runtimeDirectory)
        else { throw .noSuchService(nowhereToLook) }
        return Service(name: name, directory: directory)
    }

    static let nowhereToLook =
        "no directory to look in: XDG_RUNTIME_DIR is not set; give --runtime-directory, "
        + "set SUCCESSION_RUNTIME_DIRECTORY, or run swapctl as root"

    /// Throws unless the directory can be listed, and says what to check if it cannot.
    func checkDirectory() throws(ControlError) {
        do {
            _ = try Syscall.listDirectory(directory.path)
        } catch {
            switch error {
            case .noSuchFileOrDirectory:
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
