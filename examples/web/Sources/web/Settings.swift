// SPDX-License-Identifier: Apache-2.0

import Glibc
import Succession
import Synchronization

/// What `--config FILE` holds: headers for every response, one `Name: value` a line.
struct Settings: Sendable {
    var headers: [(name: String, value: String)] = []

    init() {}

    /// Throws a sentence that names file and line.
    init(path: String) throws {
        for (index, line) in try Self.text(path).split(separator: "\n").enumerated() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let name = parts[0].utf8
            guard parts.count == 2, !name.isEmpty, !name.contains(where: { $0 <= 0x20 }) else {
                throw SettingsError("\(path):\(index + 1): '\(line)' is no header")
            }
            headers.append((String(parts[0]), String(parts[1].drop { $0 == " " })))
        }
    }

    private static func text(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else {
            throw SettingsError("\(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

struct SettingsError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The settings in force: each request takes them once and keeps what it has.
final class CurrentSettings: Sendable {
    static let shared = CurrentSettings()

    private let settings = Mutex(Settings())

    var value: Settings { settings.withLock { $0 } }

    func load(_ path: String) throws {
        let new = try Settings(path: path)
        settings.withLock { $0 = new }
    }

    // snippet reload
    func follow(_ reloads: AsyncStream<ReloadRequest>, _ path: String) async {
        for await request in reloads {
            do {
                try load(path)
                request.accept()
            } catch {
                request.refuse("\(error)")
            }
        }
    }
    // end reload
}
