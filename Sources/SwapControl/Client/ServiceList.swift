// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport

/// The services that can be seen from here.
package enum ServiceList {
    /// Every directory that looks like a service's, in the order of names.
    ///
    /// A directory that was named, by the operator or in the environment, is the only one looked
    /// into.
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
        // No directory has an empty name: what comes back was given by somebody, or is a parent's.
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

    /// Whether there is a `<generation>.sock`; a service that was stopped leaves only its `lock`.
    ///
    /// The directory of a dynamic user is reached by a link.
    private static func isService(_ directory: RuntimeDirectory) -> Bool {
        guard (try? Syscall.status(directory.path))?.isDirectory == true else { return false }
        return !directory.generations().isEmpty
    }
}
