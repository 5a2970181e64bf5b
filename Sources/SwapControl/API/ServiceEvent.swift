// SPDX-License-Identifier: Apache-2.0

/// What happens while an upgrade or a drain is carried out.
public struct ServiceEvent: Sendable, Hashable {
    /// Kinds are added in minor versions: a `switch` needs a `default`.
    public struct Kind: RawRepresentable, Sendable, Hashable {
        /// The name of the kind.
        public let rawValue: String

        /// Makes a kind from its name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The request for an upgrade was sent to ``ServiceEvent/generation``.
        public static let asked = Kind(rawValue: "asked")
        /// ``ServiceEvent/step`` has begun or ended.
        public static let step = Kind(rawValue: "step")
        /// The successor, ``ServiceEvent/generation``, serves.
        public static let committed = Kind(rawValue: "committed")
        /// The upgrade has failed, and the predecessor serves on; see ``ServiceEvent/failure``.
        public static let failed = Kind(rawValue: "failed")
        /// A generation drains: ``ServiceEvent/connections`` are open, and ``ServiceEvent/remaining`` is left.
        public static let draining = Kind(rawValue: "draining")
        /// A generation has drained; ``ServiceEvent/connections`` were cut at its deadline.
        public static let drained = Kind(rawValue: "drained")
        /// The process of a generation has ended.
        public static let left = Kind(rawValue: "left")
    }

    /// What has happened; it decides which of the other properties are set.
    public let kind: Kind
    /// The number of the generation; nil for `step` and `failed`.
    public private(set) var generation: Int?
    /// The step that has begun or ended, for `step`.
    public private(set) var step: UpgradeStep?
    /// Why the upgrade failed, for `failed`.
    public private(set) var failure: UpgradeFailure?
    /// Open connections for `draining`, cut ones for `drained`.
    public private(set) var connections: Int?
    /// The time until open connections are cut, for `draining`.
    public private(set) var remaining: Duration?

    /// Nil: nothing has happened.
    package init?(_ event: ControlEvent) {
        switch event {
        case .asked(let status):
            kind = .asked
            generation = status.generation
        case .step(let step):
            kind = .step
            self.step = step
        case .committed(let successor):
            kind = .committed
            generation = successor.generation
        case .failed(let failure):
            kind = .failed
            self.failure = failure
        case .draining(let progress):
            kind = .draining
            generation = progress.generation
            connections = progress.connections
            remaining = .milliseconds(progress.remainingMilliseconds)
        case .drained(let generation, let cut):
            kind = .drained
            self.generation = generation
            connections = cut
        case .left(let generation):
            kind = .left
            self.generation = generation
        case .waiting:
            return nil
        }
    }
}
