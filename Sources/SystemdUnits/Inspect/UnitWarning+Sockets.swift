// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SwapControl

// MARK: - Sockets

extension UnitWarning {
    static func sockets(_ facts: UnitFacts) -> [UnitWarning] {
        var found: [UnitWarning] = []
        let properties = facts.properties
        let activated = (facts.speaker?.listeners ?? []).filter { $0.origin == .activation }
        if properties["NonBlocking"] == "no", !activated.isEmpty {
            found.append(
                UnitWarning(
                    "nonblocking",
                    "each start of a service with these sockets makes them block again, for the "
                        + "generations that serve too",
                    "set NonBlocking=yes"))
        }
        for listener in activated {
            guard let path = listener.what.split(separator: ":", maxSplits: 1).last,
                let directory = properties.words("RuntimeDirectory").first(where: {
                    path.hasPrefix("\(facts.runtimeRoot)/\($0)/")
                })
            else { continue }
            found.append(
                UnitWarning(
                    "runtimedirectory",
                    "\(listener.what.terminalSafe) lies in RuntimeDirectory=\(directory): when the service "
                        + "stops the path is gone, while its socket unit stays up",
                    "give it another place in the socket unit"))
        }
        let bound = Set(properties.words("Requires") + properties.words("BindsTo"))
        let loose = properties.words("TriggeredBy")
            .filter { $0.hasSuffix(".socket") && !bound.contains($0) }
        if !loose.isEmpty, !activated.isEmpty {
            found.append(
                UnitWarning(
                    "requires",
                    "a restart of \(loose.joined(separator: ", ")) while the service runs leaves the "
                        + "socket unit down",
                    "set Requires=\(loose.joined(separator: " "))"))
        }
        return found
    }

    static func store(_ facts: UnitFacts) -> [UnitWarning] {
        let properties = facts.properties
        guard let maximum = properties.integer("FileDescriptorStoreMax") else { return [] }
        let isBound = facts.speaker?.listeners.contains { $0.origin == .bound } ?? false
        if maximum == 0 {
            if !isBound { return [] }
            return [
                UnitWarning(
                    "filedescriptorstore",
                    "nobody keeps the listeners through a crash or a restart, and connections are "
                        + "refused meanwhile",
                    "set FileDescriptorStoreMax=64, or use a socket unit")
            ]
        }
        guard let stored = properties.integer("NFileDescriptorStore"), stored >= maximum else {
            return []
        }
        return [
            UnitWarning(
                "filedescriptorstore",
                "the manager stores \(stored) descriptors, which is all it may; what more is stored "
                    + "is dropped without a word",
                "set FileDescriptorStoreMax= to more than \(maximum)")
        ]
    }
}
