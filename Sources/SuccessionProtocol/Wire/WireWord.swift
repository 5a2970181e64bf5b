// SPDX-License-Identifier: Apache-2.0

/// A value that is one of a few words.
///
/// Structs and no enums: a later version may send words that this one only passes on.
package protocol WireWord: RawRepresentable, Sendable, Hashable, CustomStringConvertible
where RawValue == String {
    init(rawValue: String)
}

extension WireWord {
    package var description: String { rawValue }
}

/// What a generation is doing (`STATE=` of an answer to `status`).
package struct StateWord: WireWord {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It builds its server.
    package static let starting = StateWord(rawValue: "starting")
    /// It accepts.
    package static let serving = StateWord(rawValue: "serving")
    /// It has sent `committed` and awaits `accepting`.
    package static let standby = StateWord(rawValue: "standby")
    package static let draining = StateWord(rawValue: "draining")
}

/// A step of an upgrade (`STEP=`).
package struct StepWord: WireWord {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Until the successor's process runs.
    package static let start = StepWord(rawValue: "start")
    /// Until everything is taken.
    package static let offer = StepWord(rawValue: "offer")
    /// Until the successor is ready.
    package static let ready = StepWord(rawValue: "ready")
    /// Until the successor accepts.
    package static let commit = StepWord(rawValue: "commit")
}

/// How far a step is (`STATUS=`).
package struct StepStatus: WireWord {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It has begun.
    package static let running = StepStatus(rawValue: "running")
    /// It is done.
    package static let ok = StepStatus(rawValue: "ok")
    package static let failed = StepStatus(rawValue: "failed")
}

/// What a side can do beyond what every version can (`FEATURES=`).
package struct FeatureWord: WireWord {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It takes state in a message.
    package static let state = FeatureWord(rawValue: "state")
    /// It takes state in a memory file.
    package static let memoryFile = FeatureWord(rawValue: "memfd")
    /// It sends `leaving`.
    package static let leaving = FeatureWord(rawValue: "leaving")

    /// What this version can.
    package static let own: [FeatureWord] = [.state, .memoryFile, .leaving]
}
