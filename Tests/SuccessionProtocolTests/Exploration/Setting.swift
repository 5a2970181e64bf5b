// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// What is handed over, to whom, and what may happen besides.
///
/// A class, so that a world that is compared or hashed only looks at which one it is.
final class Setting: Sendable, CustomStringConvertible {
    /// What may happen besides deaths.
    enum Faults: Hashable {
        /// Either generation is told to leave, and the upgrade is called off.
        case drains
        /// An upgrade is asked for once more.
        case requests
        /// The service manager stops the unit, or is slow.
        case manager
        /// One message comes that nobody has sent.
        case strays
    }

    /// Whom the service manager listens to.
    enum NotifyAccess: Hashable {
        case main, all
    }

    let batches: [Int]
    let stateSize: Int?
    let features: [String]
    let manager: GenerationLifecycle.Manager
    let access: NotifyAccess
    let faults: Faults

    init(
        batches: [Int], stateSize: Int? = nil, features: [String] = ["state", "memfd", "leaving"],
        manager: GenerationLifecycle.Manager = .none, access: NotifyAccess = .main,
        faults: Faults = .drains
    ) {
        self.batches = batches
        self.stateSize = stateSize
        self.features = features
        self.manager = manager
        self.access = access
        self.faults = faults
    }

    /// How many times the successor says `taken`.
    var acknowledgements: Int { batches.count + (sendsState ? 1 : 0) }
    var sendsState: Bool { stateSize != nil && features.contains("memfd") }

    var description: String {
        let state = stateSize.map { "\($0) bytes of state" } ?? "no state"
        let manager = manager == .none ? "no manager" : "\(manager) manager, access \(access)"
        return "batches \(batches), \(state), features \(features), \(manager), \(faults)"
    }
}

extension Setting: Hashable {
    static func == (one: Setting, other: Setting) -> Bool { one === other }

    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
