// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport

/// Finds the services whose control sockets this process can see.
package enum ServiceList {
    /// Every service, in alphabetical order.
    ///
    /// If the operator or the environment names a directory, it is the only one that is searched.
    package static func all(runtimeDirectory: String? = nil) throws(ControlError) -> [Service] {
        if let named = namedDirectory(runtimeDirectory) { return [named] }
        let parents = RuntimeDirectory.parents
        if parents.isEmpty { throw .noSuchService(Service.nowhereToLook) }
        let services = parents.flatMap(services(below:))
        if services.isEmpty {
            throw .noSuchService(
                "no service below \(parents.joined(separator: ", ")); give --runtime-directory if it "
                    + "keeps its control sockets elsewhere")
        }
        return services
    }

    private static func namedDirectory(_ explicit: String?) -> Service? {
        // With an empty service name the result is either the directory that was named, or a parent with a slash.
        guard let directory = RuntimeDirectory.locate(service: "", explicit: explicit),
            !RuntimeDirectory.parents.contains(where: { $0 + "/" == directory.path })
        else { return nil }
        let name = directory.path.split(separator: "/").last.map(String.init) ?? directory.path
        return Service(name: name, directory: directory, isNamed: false)
    }

    private static func services(below parent: String) -> [Service] {
        let entries = (try? Syscall.listDirectory(parent)) ?? []
        return entries.sorted().compactMap { name in
            guard RuntimeDirectory.isValidServiceName(name) else { return nil }
            let directory = RuntimeDirectory(path: parent + "/" + name)
            guard isService(directory) else { return nil }
            return Service(name: name, directory: directory)
        }
    }

    /// Whether the directory holds a `<generation>.sock`; a stopped service leaves only its `lock`.
    ///
    /// Follows links: the directory of a systemd service with a dynamic user is one.
    private static func isService(_ directory: RuntimeDirectory) -> Bool {
        guard (try? Syscall.status(directory.path))?.isDirectory == true else { return false }
        return !directory.generations().isEmpty
    }
}
