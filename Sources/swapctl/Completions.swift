// SPDX-License-Identifier: Apache-2.0

#if CLI
import ArgumentParser
import SwapControl
import SwapReleases

/// The words that a shell offers on completion; none if they cannot be found.
enum Completions {
    /// The services whose control sockets this process can see.
    static let services = CompletionKind.custom { _, _, _ in
        names()
    }

    /// The generations of the service that the command line names.
    static let generations = CompletionKind.custom { words, _, _ in
        guard let name = words.first(where: names().contains),
            let service = try? Service.locate(
                name, runtimeDirectory: value("runtime-directory", words))
        else { return [] }
        return service.generations.map(String.init)
    }

    static let releases = CompletionKind.custom { words, _, _ in
        guard
            let site = try? ReleaseSite.locate(
                current: value("current", words), name: value("name", words), service: nil),
            let list = try? ReleaseList.read(site)
        else { return [] }
        return list.releases.map(\.name)
    }

    private static func names() -> [String] {
        ((try? ServiceList.all()) ?? []).map(\.name)
    }

    private static func value(_ option: String, _ words: [String]) -> String? {
        guard let index = words.firstIndex(of: "--" + option), index + 1 < words.endIndex else {
            return nil
        }
        return words[index + 1]
    }
}
#endif
