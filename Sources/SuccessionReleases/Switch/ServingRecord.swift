// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// A release that serves, or is about to.
///
/// `.succession/serving` is the one to which a failure returns. `.succession/intent` is written
/// before a switch changes anything, and renamed to `serving` when it has succeeded: one step, for
/// which even a full disk has room.
struct ServingRecord: Sendable, Hashable {
    /// Of the switch; the journal and the environment of the generation have it too.
    var id: String
    var verb: JournalEntry.Verb
    var service: String
    /// Empty: where the name of the service says.
    var runtimeDirectory: String
    /// What the links are called.
    var name: String
    var selection: Selection
    /// What `current.conf` says.
    var text: String
    /// `current.conf` itself, if it is a symbolic link.
    var link: CurrentLink?
    /// How the server is started when it does not run; empty: not known.
    var command: [String]
    /// What served before.
    var from: Selection?
    /// Where the links led before, as it stands in them; nil: where ``from`` says.
    var links: Selection?
    var time: String
    var why: String

    /// Somebody else wrote the record, whose command is not run for that; nil: nobody else.
    var foreignWriter: UInt32?

    /// What serves; nil: nothing was switched here yet.
    static func serving(_ site: ReleaseSite) throws(ControlError) -> ServingRecord? {
        try read(site, ReleaseSite.servingName)
    }

    /// What was about to serve when a switch was cut short.
    static func intent(_ site: ReleaseSite) throws(ControlError) -> ServingRecord? {
        try read(site, ReleaseSite.intentName)
    }

    private static func read(
        _ site: ReleaseSite, _ name: String
    ) throws(ControlError) -> ServingRecord? {
        guard let file = try StateFile.read(site, name) else { return nil }
        guard var record = ServingRecord(file.node) else {
            throw .configuration(
                "\(site.stateDirectory)/\(name) is not as swapctl writes it; remove it")
        }
        // Who may write there would else have anybody who works there run anything.
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
                    + "the next look",
                exitCode: .inputOutput)
        }
        // Without it only a full disk is in the way of a return.
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
            let selection = Selection(node["files"]), let text = node["current"]?.string
        else { return nil }
        self.init(
            id: id, verb: verb, service: service,
            runtimeDirectory: node["runtime_directory"]?.string ?? "", name: name,
            selection: selection, text: text,
            link: node["link_target"]?.string.map {
                CurrentLink(target: $0, file: node["link_file"]?.string)
            },
            command: (node["command"]?.elements ?? []).compactMap(\.string),
            from: Selection(node["from"]), links: Selection(node["links"]),
            time: node["time"]?.string ?? "",
            why: node["why"]?.string ?? "")
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
        ]
    }

    /// The line of the journal that tells how it ended.
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

/// Files of one JSON object that only swapctl writes.
enum StateFile {
    /// What it says, and who wrote it; nil: there is none.
    static func read(
        _ site: ReleaseSite, _ name: String
    ) throws(ControlError) -> (node: JSONNode, owner: UInt32)? {
        let path = site.stateDirectory + "/" + name
        let content = try attempt("cannot read \(path)") {
            () throws(Errno) -> (bytes: [UInt8], owner: UInt32)? in
            do throws(Errno) {
                let file = try DurableFile.openRegular(site.openState(), name, .readOnly)
                return try file.withRawValue { (fd) throws(Errno) in
                    (try Syscall.readFile(fd), try Syscall.status(of: fd).userID)
                }
            } catch {
                if error == .noSuchFileOrDirectory { return nil }
                throw error
            }
        }
        guard let content else { return nil }
        do {
            return (try JSONParser.parse(content.bytes), content.owner)
        } catch {
            throw .configuration(
                "\(path):\(error.place): \(error.reason); only swapctl writes this file: remove it")
        }
    }

    static func write(
        _ site: ReleaseSite, _ name: String, _ value: JSONValue
    ) throws(ControlError) {
        try attempt("cannot write \(site.stateDirectory)/\(name)") { () throws(Errno) in
            try DurableFile.replace(
                site.openState(), name, Array((JSONLine.text(value) + "\n").utf8))
        }
    }
}
