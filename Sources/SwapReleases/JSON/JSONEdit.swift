// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// Changes strings of a JSON object, and keeps every other byte of the text.
enum JSONEdit {
    /// Sets keys of an object, of which `text` is the text; new keys are added after the last one.
    static func setting(
        _ changes: [(key: String, value: String)], in text: [UInt8], _ root: JSONNode
    ) -> [UInt8] {
        var result = text
        let members = root.members ?? []
        let ranges = Dictionary(members.map { ($0.key, $0.node.range) }) { first, _ in first }
        let known = changes.compactMap { change in
            ranges[change.key].map { ($0, change.value) }
        }
        let new = changes.filter { ranges[$0.key] == nil }
        // From the end of the text, so that the ranges before stay valid.
        if !new.isEmpty { insert(new, into: &result, root, members) }
        for (range, value) in known.sorted(by: { $0.0.lowerBound > $1.0.lowerBound }) {
            result.replaceSubrange(range, with: literal(value))
        }
        return result
    }

    /// The text of a new object.
    static func object(_ members: [(key: String, value: String)]) -> [UInt8] {
        let lines = members.map {
            Array("  ".utf8) + literal($0.key) + Array(": ".utf8) + literal($0.value)
        }
        return Array("{\n".utf8) + lines.joined(separator: Array(",\n".utf8)) + Array("\n}\n".utf8)
    }

    private static func insert(
        _ new: [(key: String, value: String)], into text: inout [UInt8], _ root: JSONNode,
        _ members: [JSONNode.Member]
    ) {
        let lines = new.map { literal($0.key) + Array(": ".utf8) + literal($0.value) }
        guard let last = members.last else {
            let body = lines.joined(separator: Array(",\n  ".utf8))
            text.replaceSubrange(root.range, with: Array("{\n  ".utf8) + body + Array("\n}".utf8))
            return
        }
        let separator = Array(",".utf8) + indentation(of: last, in: text)
        text.insert(
            contentsOf: lines.flatMap { separator + $0 }, at: last.node.range.upperBound)
    }

    /// The white space before a key, which new keys get too.
    private static func indentation(of member: JSONNode.Member, in text: [UInt8]) -> [UInt8] {
        var start = member.keyStart
        while start > 0, [0x20, 0x09, 0x0A, 0x0D].contains(text[start - 1]) { start -= 1 }
        return start == member.keyStart ? [0x20] : Array(text[start..<member.keyStart])
    }

    private static func literal(_ string: String) -> [UInt8] {
        Array(JSONLine.text(.string(string)).utf8)
    }
}
