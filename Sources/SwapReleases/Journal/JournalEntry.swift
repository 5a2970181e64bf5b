// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl

/// One attempt to make another release serve, and what became of it.
package struct JournalEntry: Sendable, Hashable {
    package enum Verb: String, Sendable {
        case upgrade, start, rollback
        /// What served already was taken over as it was.
        case adopt
        /// An upgrade was called off.
        case abort
    }

    package enum Result: String, Sendable {
        /// It serves.
        case committed
        /// It was tried, and what served before still does.
        case unchanged
        /// It was not even tried.
        case refused
    }

    /// Who asked for it.
    package struct Operator: Sendable, Hashable {
        package var userID: Int
        package var user: String?
        package var processID: Int
        /// With whose rights, if not with those of the operator: the owner's of the site.
        package var actedAs: Int?
        /// Who became root to do it, as sudo(8) says.
        package var sudoUser: String?

        /// Whom to ask: the user behind `sudo`, if there is one.
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

        /// `with the rights of alice`; nil: with those of the operator.
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
    package var from: Selection?
    /// Nil: what `current.conf` said could not be read.
    package var to: Selection?
    package var result: Result
    /// Who served afterwards.
    package var generation: Int?
    package var processID: Int?
    package var elapsedMicroseconds: Int
    /// What caused it: `current.conf changed`.
    package var why: String
    /// Why it did not succeed.
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

    /// Nil: not a line of a journal, or one of a later version.
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
            from: Selection(node["from"]), to: Selection(node["to"]), result: result,
            generation: node["generation"]?.integer, processID: node["pid"]?.integer,
            elapsedMicroseconds: node["elapsed_us"]?.integer ?? 0,
            why: node["why"]?.string ?? "", reason: node["reason"]?.string)
    }
}
