// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl

/// One attempt to change what serves, and its result.
package struct JournalEntry: Sendable, Hashable {
    package enum Verb: String, Sendable {
        case upgrade, start, rollback
        /// A generation that swapctl did not start was recorded as the serving one.
        case adopt
        /// An upgrade was aborted.
        case abort
    }

    package enum Result: String, Sendable {
        /// The release serves.
        case committed
        /// The upgrade failed, and what served before still serves.
        case unchanged
        /// The attempt ended before the server was asked.
        case refused
    }

    /// The user and the process that requested a change.
    package struct Operator: Sendable, Hashable {
        package var userID: Int
        package var user: String?
        package var processID: Int
        /// The owner of the site, if swapctl worked with the rights of that user.
        package var actedAs: Int?
        /// The user who became root by sudo(8).
        package var sudoUser: String?

        /// The person: the user behind `sudo`, if there is one.
        package var name: String { sudoUser ?? user ?? "uid \(userID)" }

        static var current: Operator {
            let id = ProcessEnvironment.effectiveUserID
            let rights = (try? UserRights.ofThread())?.userID ?? id
            return Operator(
                userID: Int(id), user: User.withID(id)?.name,
                processID: Int(ProcessEnvironment.processID),
                actedAs: rights == id ? nil : Int(rights),
                sudoUser: id == 0 ? ProcessEnvironment.value("SUDO_USER") : nil)
        }

        /// `with the rights of alice`; nil: swapctl worked with the operator's own rights.
        package var rightsOfOther: String? {
            actedAs.flatMap(UInt32.init(exactly:)).map {
                "with the rights of \(SiteRights.name($0))"
            }
        }
    }

    package var time: String
    package var id: String
    package var verb: Verb
    package var service: String
    package var by: Operator
    package var from: SelectedFiles?
    /// Nil: `current.conf` could not be read.
    package var to: SelectedFiles?
    package var result: Result
    /// The generation that served afterwards.
    package var generation: Int?
    package var processID: Int?
    package var elapsedMicroseconds: Int
    /// The cause of the attempt: `current.conf changed`.
    package var why: String
    /// Why the attempt did not succeed.
    package var reason: String?
}

extension JournalEntry {
    package var json: JSONValue {
        [
            "time": .string(time), "id": .string(id), "verb": .string(verb.rawValue),
            "service": .string(service),
            "by": [
                "uid": .integer(by.userID), "user": .optional(by.user),
                "pid": .integer(by.processID), "as_uid": .optional(by.actedAs),
                "sudo_user": .optional(by.sudoUser),
            ],
            "from": from?.json ?? .null, "to": to?.json ?? .null,
            "result": .string(result.rawValue), "generation": .optional(generation),
            "pid": .optional(processID), "elapsed_us": .integer(elapsedMicroseconds),
            "why": .string(why), "reason": .optional(reason),
        ]
    }

    /// Nil: this is no entry, or one of a later version.
    init?(_ node: JSONNode) {
        guard let time = node["time"]?.string, let id = node["id"]?.string,
            let verb = node["verb"]?.string.flatMap(Verb.init(rawValue:)),
            let result = node["result"]?.string.flatMap(Result.init(rawValue:))
        else { return nil }
        let by = node["by"]
        self.init(
            time: time, id: id, verb: verb, service: node["service"]?.string ?? "",
            by: Operator(
                userID: by?["uid"]?.integer ?? -1, user: by?["user"]?.string,
                processID: by?["pid"]?.integer ?? 0, actedAs: by?["as_uid"]?.integer,
                sudoUser: by?["sudo_user"]?.string),
            from: SelectedFiles(node["from"]), to: SelectedFiles(node["to"]), result: result,
            generation: node["generation"]?.integer, processID: node["pid"]?.integer,
            elapsedMicroseconds: node["elapsed_us"]?.integer ?? 0,
            why: node["why"]?.string ?? "", reason: node["reason"]?.string)
    }
}

/// Identifiers of switches: unique, and in the order of time.
enum SwitchID {
    static func next() -> String {
        let (seconds, nanoseconds) = Syscall.wallClock()
        let random = String(UInt32.random(in: 0 ... .max), radix: 36)
        return "\(seconds)-\(nanoseconds / 1_000)-\(random)"
    }
}
