// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SuccessionTransport
import SystemPackage

extension RuntimeDirectory {
    /// The directory of a service, made if need be; the error says what is wrong with it and what to
    /// set.
    static func prepared(
        for service: String, _ configuration: GenerationConfiguration
    ) throws(SuccessionError) -> RuntimeDirectory {
        if RuntimeDirectory.isOfTheSystem(service, explicit: configuration.runtimeDirectory) {
            throw SuccessionError(
                .invalidServiceName,
                "'\(service)' cannot be the name of a service: /run/\(service) is the system's; choose another, or set SUCCESSION_RUNTIME_DIRECTORY"
            )
        }
        guard
            let directory = RuntimeDirectory.locate(
                service: service, explicit: configuration.runtimeDirectory)
        else {
            throw SuccessionError(
                .runtimeDirectory,
                "no runtime directory: set SUCCESSION_RUNTIME_DIRECTORY or XDG_RUNTIME_DIR")
        }
        do {
            try directory.prepare()
        } catch {
            let why =
                error == .notPermitted
                ? "\(directory.ownership) it must belong to uid \(ProcessEnvironment.effectiveUserID) or root, and nobody else may write to it"
                : "it cannot be made or used"
            throw SuccessionError(
                .runtimeDirectory, "runtime directory \(directory.path): \(why)", cause: error)
        }
        return directory
    }
}
