// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The record of a release that serves, or is about to.
///
/// `.succession/serving` is the release to which a failed switch returns. `.succession/intent` is
/// written before a switch changes anything, and renamed to `serving` when it has succeeded: one step,
/// which works on a full disk too.
struct ServingRecord: Sendable, Hashable {
    /// The identifier of the switch, also in the journal and in the environment of the generation.
    var id: String
    var verb: JournalEntry.Verb
    var service: String
    /// Empty: the default one of the service.
    var runtimeDirectory: String
    /// The prefix of the links' names.
    var name: String
    var selection: SelectedFiles
    /// The text of `current.conf`.
    var text: String
    /// `current.conf` itself, if it is a symbolic link.
    var link: CurrentLink?
    /// The command that starts the server; empty: not known.
    var command: [String]
    /// What served before.
    var from: SelectedFiles?
    /// The targets of the links before, as they were in the links; nil: those of ``from``.
    var links: SelectedFiles?
    var time: String
    var why: String
    /// What `current.conf` was before the switch, in an intent whose switch writes that file; nil: it does
    /// not write it.
    var replaced: ReplacedText?

    struct ReplacedText: Sendable, Hashable {
        /// Nil: there was no file.
        var text: String?
        var link: CurrentLink?

        init(text: [UInt8]?, link: CurrentLink?) {
            self.text = text.map { String(decoding: $0, as: UTF8.self) }
            self.link = link
        }

        init?(_ node: JSONNode?) {
            guard let node, node.members != nil else { return nil }
            text = node["text"]?.string
            link = CurrentLink(node)
        }
    }

    /// The user who wrote the record, if another one than swapctl works for: ``command`` is then left
    /// empty, because it would run with the rights of this one.
    var foreignWriter: UInt32?

    /// The record of what serves; nil: nothing has been recorded in this site yet.
    static func serving(_ site: ReleaseSite) throws(ControlError) -> ServingRecord? {
        var record = try read(site, ReleaseSite.servingName)
        // The switch is over, and another one with this record must not undo it.
        record?.replaced = nil
        return record
    }

    /// The record of a switch that is under way, or was interrupted; nil: there is none.
    static func intent(_ site: ReleaseSite) throws(ControlError) -> ServingRecord? {
        try read(site, ReleaseSite.intentName)
    }

    private static func read(
        _ site: ReleaseSite, _ name: String
    ) throws(ControlError) -> ServingRecord? {
        guard let file = try StateFile.read(site, name) else { return nil }
        guard var record = ServingRecord(file.node) else {
            throw StateFile.malformed(site, name)
        }
        // Otherwise any user who may write this file decides what another one executes.
        if file.owner != site.rights.userID {
            record.foreignWriter = record.command.isEmpty ? nil : file.owner
            record.command = []
        }
        return record
    }

    func writeIntent(_ site: ReleaseSite) throws(ControlError) {
        try StateFile.write(site, ReleaseSite.intentName, json)
    }

    /// Makes the intent what serves.
    static func commitIntent(_ site: ReleaseSite) throws(ControlError) {
        do {
            let state = try site.openState()
            try state.rename(ReleaseSite.intentName, to: ReleaseSite.servingName)
            try state.synchronize()
        } catch {
            throw ControlError(
                code: "system",
                message: "cannot write \(site.servingPath): \(error); what serves is recorded at "
                    + "the next inspection",
                exitCode: .inputOutput)
        }
        // The spare copy is needed only to restore `current.conf` on a full disk: a failure is no error.
        if let text = try? serving(site)?.text {
            try? DurableFile.replace(
                site.openState(), ReleaseSite.spareName, Array(text.utf8))
        }
    }

    static func removeIntent(_ site: ReleaseSite) throws(ControlError) {
        try attempt("cannot remove \(site.intentPath)") { () throws(Errno) in
            try DurableFile.remove(site.openState(), ReleaseSite.intentName)
        }
    }
}

extension ServingRecord {
    init?(_ node: JSONNode) {
        guard let id = node["id"]?.string, let service = node["service"]?.string,
            let verb = node["verb"]?.string.flatMap(JournalEntry.Verb.init(rawValue:)),
            let name = node["name"]?.string, ReleaseSite.isValidName(name),
            let selection = SelectedFiles(node["files"]), let text = node["current"]?.string
        else { return nil }
        self.init(
            id: id, verb: verb, service: service,
            runtimeDirectory: node["runtime_directory"]?.string ?? "", name: name,
            selection: selection, text: text,
            link: CurrentLink(node),
            command: (node["command"]?.elements ?? []).compactMap(\.string),
            from: SelectedFiles(node["from"]), links: SelectedFiles(node["links"]),
            time: node["time"]?.string ?? "",
            why: node["why"]?.string ?? "", replaced: ReplacedText(node["replaces"]))
    }

    private var json: JSONValue {
        [
            "id": .string(id), "verb": .string(verb.rawValue), "service": .string(service),
            "runtime_directory": .string(runtimeDirectory), "name": .string(name),
            "files": selection.json, "current": .string(text),
            "link_target": .optional(link?.target),
            "link_file": .optional(link?.file),
            "command": .array(command.map { .string($0) }), "from": from?.json ?? .null,
            "links": links?.json ?? .null,
            "time": .string(time), "why": .string(why),
            "replaces": replaced.map {
                [
                    "text": .optional($0.text), "link_target": .optional($0.link?.target),
                    "link_file": .optional($0.link?.file),
                ]
            } ?? .null,
        ]
    }

    /// The entry of the journal for the end of this switch.
    func entry(
        _ result: JournalEntry.Result, serving: GenerationReference?, elapsed: Int,
        reason: String? = nil
    ) -> JournalEntry {
        JournalEntry(
            time: time, id: id, verb: verb, service: service, by: .current, from: from,
            to: selection, result: result, generation: serving?.generation,
            processID: serving?.processID, elapsedMicroseconds: elapsed, why: why, reason: reason)
    }
}

extension CurrentLink {
    /// Nil: `current.conf` was no link.
    fileprivate init?(_ node: JSONNode) {
        guard let target = node["link_target"]?.string else { return nil }
        self.init(target: target, file: node["link_file"]?.string)
    }
}
