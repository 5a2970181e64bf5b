// SPDX-License-Identifier: Apache-2.0

import Succession
import SuccessionSystem

/// What the application does when it is told to read its configuration again.
enum ReloadAnswer: Sendable {
    case accept
    case refuse(String)
    /// Lets the request go.
    case drop
    /// Keeps it for ever.
    case keep
    /// Says on a FIFO that it has it, and accepts when the other end is closed.
    case hold(fifo: String)

    init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("accept", 1): self = .accept
        case ("refuse", 2): self = .refuse(parts[1])
        case ("drop", 1): self = .drop
        case ("keep", 1): self = .keep
        case ("hold", 2): self = .hold(fifo: parts[1])
        default: throw UsageError("reload \(text)?")
        }
    }

    /// Prints `reload <who asked>` for each request, and `no more reloads` at the end.
    func give(to requests: AsyncStream<ReloadRequest>, announce: (String) -> Void) async {
        var kept: [ReloadRequest] = []
        for await request in requests {
            announce("reload \(request.askedBy.joined(separator: ", "))\n")
            switch self {
            case .accept: request.accept()
            case .refuse(let reason): request.refuse(reason)
            case .drop: break
            case .keep: kept.append(request)
            case .hold(let fifo):
                Fault.wait(at: fifo)
                request.accept()
            }
        }
        announce("no more reloads\n")
        withExtendedLifetime(kept) {}
    }
}
