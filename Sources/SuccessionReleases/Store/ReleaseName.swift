// SPDX-License-Identifier: Apache-2.0

/// The name of a release: what it is, and which version of it: `app.1.10`, `cfg-2024.2`, `1.0`.
struct ReleaseName: Sendable, Hashable {
    let text: String
    /// `app`; empty for a directory that is called by its version alone.
    let stem: String
    let version: String

    init(_ text: String) {
        self.text = text
        let characters = Array(text)
        let split = characters.indices.first { index in
            ".-_".contains(characters[index]) && index + 1 < characters.count
                && characters[index + 1].isASCII && characters[index + 1].isNumber
        }
        if characters.first?.isNumber == true {
            (stem, version) = ("", text)
        } else if let split {
            stem = String(characters[..<split])
            version = String(characters[(split + 1)...])
        } else {
            (stem, version) = (text, "")
        }
    }

    /// A name that can lie in the release directory and be named on a command line.
    static func isValid(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 200 && !text.hasPrefix(".") && !text.hasPrefix("-")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x3D }
    }
}

extension ReleaseName: Comparable {
    /// By stem, then by version: numbers as numbers, so that 1.10 comes after 1.9.
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

    /// Of two versions that begin alike: 1.0 is before 1.0.1, and 1.0-rc1 is before 1.0.
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
