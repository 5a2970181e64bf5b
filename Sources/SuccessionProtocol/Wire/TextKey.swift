// SPDX-License-Identifier: Apache-2.0

/// A key whose value is text, or a list of fields (docs/protocol.md §1).
///
/// Those whose values are numbers are ``NumericKey``.
struct TextKey: Sendable, Hashable {
    let name: String

    private init(_ name: String) {
        self.name = name
    }

    static let arguments = TextKey("ARG")
    static let batch = TextKey("BATCH")
    static let code = TextKey("CODE")
    static let detail = TextKey("DETAIL")
    static let environment = TextKey("ENV")
    static let executable = TextKey("EXECUTABLE")
    static let features = TextKey("FEATURES")
    static let left = TextKey("LEFT")
    static let listener = TextKey("LISTENER")
    static let oldest = TextKey("OLDEST")
    static let reason = TextKey("REASON")
    static let result = TextKey("RESULT")
    static let running = TextKey("RUNNING")
    static let service = TextKey("SERVICE")
    static let standardError = TextKey("STDERR")
    /// Of an answer to `status`.
    static let state = TextKey("STATE")
    static let step = TextKey("STEP")
    /// Of a `step`.
    static let stepStatus = TextKey("STATUS")
    static let unit = TextKey("UNIT")
    static let unitScope = TextKey("UNIT_SCOPE")
}

extension Message {
    func text(_ key: TextKey) -> String? { text(key.name) }

    func texts(_ key: TextKey) -> [String] { texts(key.name) }

    func fieldLists(_ key: TextKey) -> [[String]] { fieldLists(key.name) }

    /// The first value as a word; nil if the key is absent.
    func word<Word: WireWord>(_ key: TextKey) -> Word? {
        text(key).map { Word(rawValue: $0) }
    }

    mutating func add(_ key: TextKey, _ text: String) { add(key.name, text) }

    mutating func add(_ key: TextKey, _ word: some WireWord) { add(key.name, word.rawValue) }

    mutating func addFields(_ key: TextKey, _ fields: [String]) { addFields(key.name, fields) }
}
