// SPDX-License-Identifier: Apache-2.0

/// The name of a release, as a stem and a version: `app.1.10`, `cfg-2024.2`, `1.0`, `app.f00ba12`.
struct ReleaseName: Sendable, Hashable {
    let text: String
    /// `app`; empty if the name is a version alone.
    let stem: String
    let version: String

    /// After one of the known `stems` any word is a version, as `beta` in `app.beta`.
    init(_ text: String, stems: Set<String> = []) {
        self.text = text
        if Self.isVersion(text[...]) {
            (stem, version) = ("", text)
        } else if let separator = text.indices.first(where: { index in
            Self.separators.contains(text[index]) && Self.isVersion(text[index...].dropFirst())
        }) {
            stem = String(text[..<separator])
            version = String(text[separator...].dropFirst())
        } else {
            let known = stems.filter { Self.follows($0, in: text) }.max { $0.count < $1.count }
            stem = known ?? text
            version = known.map { String(text.dropFirst($0.count + 1)) } ?? ""
        }
    }

    private static let separators: Set<Character> = [".", "-", "_"]

    /// Whether the text is the stem, a separator, and something more.
    static func follows(_ stem: String, in text: String) -> Bool {
        guard !stem.isEmpty, text.hasPrefix(stem), text.count > stem.count + 1 else { return false }
        return separators.contains(text[text.index(text.startIndex, offsetBy: stem.count)])
    }

    /// Whether the text begins like a version: with a digit, with `v` and a digit, or with the hash of a
    /// commit.
    private static func isVersion(_ text: Substring) -> Bool {
        func isDigit(_ character: Character?) -> Bool {
            character.map { $0.isASCII && $0.isNumber } ?? false
        }
        if isDigit(text.first) { return true }
        if text.first == "v" || text.first == "V" { return isDigit(text.dropFirst().first) }
        let word = text.prefix { !separators.contains($0) }
        // Git abbreviates a hash to seven digits or more.
        return word.utf8.count >= 7 && word.allSatisfy { $0.isASCII && $0.isHexDigit }
    }

    /// The stems of release names; if a name has no known version, the part before the first dot.
    static func stems(_ names: some Sequence<String>) -> Set<String> {
        Set(
            names.map { text in
                let name = ReleaseName(text)
                if !name.version.isEmpty { return name.stem }
                return text.firstIndex(of: ".").map { String(text[..<$0]) } ?? text
            }.filter { !$0.isEmpty && !$0.contains("/") })
    }

    /// Whether the text can be the name of a release, in the directory and on a command line.
    static func isValid(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 200 && !text.hasPrefix(".") && !text.hasPrefix("-")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x3D }
    }
}

extension ReleaseName: Comparable {
    /// Compares the stem, then the version, with numbers as numbers: 1.10 comes after 1.9.
    static func < (one: ReleaseName, other: ReleaseName) -> Bool {
        if one.stem != other.stem { return one.stem < other.stem }
        let (ones, others) = (runs(one.version), runs(other.version))
        for (left, right) in zip(ones, others) where left != right {
            switch (Int(left), Int(right)) {
            case (let left?, let right?) where left != right: return left < right
            case (.some, nil): return false
            case (nil, .some): return true
            default: return left < right
            }
        }
        if ones.count != others.count { return isBefore(ones, others) }
        return one.text < other.text
    }

    /// Compares versions of which one begins with the other: 1.0 is before 1.0.1, and 1.0-rc1 is before
    /// 1.0.
    private static func isBefore(_ ones: [String], _ others: [String]) -> Bool {
        if ones.count > others.count { return !isBefore(others, ones) }
        let next = others[ones.count]
        return !(next.first?.isLetter ?? false)
            && !(next.first == "-" && others.count > ones.count + 1
                && others[ones.count + 1].first?.isLetter == true)
    }

    /// `1.10-rc2` as `1`, `.`, `10`, `-`, `rc`, `2`.
    private static func runs(_ version: String) -> [String] {
        var runs: [String] = []
        var last: Int?
        for character in version {
            let kind = character.isASCII && character.isNumber ? 0 : character.isLetter ? 1 : 2
            if kind == last, kind != 2 {
                runs[runs.count - 1].append(character)
            } else {
                runs.append(String(character))
            }
            last = kind
        }
        return runs
    }
}
