// SPDX-License-Identifier: Apache-2.0

import Succession

/// The command line of `serve`.
struct Options {
    var service = "fixture"
    var listeners: [(name: String, address: ListenAddress)] = []
    /// Listeners made in bulk: `--many 500=tcp` or `--many 500=/dir` for Unix sockets in a
    /// directory.
    var many: [(count: Int, place: String)] = []
    var fault = Fault.none
    var stateSize: Int?
    var openFilesLimit: Int?
    /// Whether the application opens as many files as it can before it is ready.
    var hoards = false
    var drain: Duration = .seconds(30)
    var exitGrace: Duration = .seconds(5)
    /// Name of a descriptor that is no listener.
    var kept: String?
    /// Names of descriptors of any kind that must be there: nothing is made in their place.
    var taken: [String] = []
    /// Whether the server is the body of a scoped generation.
    var isScoped = false
    /// Whether everything that is held is told before `ready`.
    var tellsHoldings = false
    /// Nil: as the library has it.
    var maximumGenerations: Int?
    var upgradeSignal: Int32?
    var reloadSignal: Int32?
    var reload: ReloadAnswer?

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { throw UsageError("\(option) needs a value") }
            switch option {
            case "--service": service = value
            case "--listen":
                let (name, address) = try Self.pair(value)
                listeners.append((name, try ListenAddress(address)))
            case "--many":
                let (count, place) = try Self.pair(value)
                many.append((Int(count) ?? 0, place))
            case "--fault": fault = try Fault(value)
            case "--state-size": stateSize = Int(value)
            case "--open-files": openFilesLimit = Int(value)
            case "--hoard" where value == "descriptors": hoards = true
            case "--keep": kept = value
            case "--take": taken.append(value)
            case "--tell" where value == "holdings": tellsHoldings = true
            case "--scoped" where value == "yes": isScoped = true
            case "--max-generations": maximumGenerations = Int(value)
            case "--upgrade-signal": upgradeSignal = Int32(value)
            case "--reload": reload = try ReloadAnswer(value)
            case "--reload-signal": reloadSignal = Int32(value)
            case "--grace-ms": exitGrace = .milliseconds(Int(value) ?? 0)
            case "--drain-ms": drain = .milliseconds(Int(value) ?? 0)
            default: throw UsageError("\(option)?")
            }
        }
    }

    private static func pair(_ text: String) throws -> (String, String) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw UsageError("\(text): A=B") }
        return (parts[0], parts[1])
    }
}
