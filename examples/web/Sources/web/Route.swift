// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What a request line asks for.
enum Route {
    case hello
    case slow(TimeAmount)
    case body(bytes: Int, pause: TimeAmount)
    case stream(every: TimeAmount)
    case unknown

    init(uri: String) {
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count > 1 ? parts[1] : ""
        func number(_ name: String, orElse fallback: Int) -> Int {
            for pair in query.split(separator: "&") where pair.hasPrefix("\(name)=") {
                return Int(pair.dropFirst(name.count + 1)).map { max(0, min($0, 1 << 40)) }
                    ?? fallback
            }
            return fallback
        }
        switch parts[0] {
        case "/": self = .hello
        case "/slow": self = .slow(.milliseconds(Int64(number("ms", orElse: 100))))
        case "/body":
            self = .body(
                bytes: number("n", orElse: 65_536),
                pause: .milliseconds(Int64(number("ms", orElse: 0))))
        case "/stream":
            self = .stream(every: .milliseconds(Int64(max(1, number("ms", orElse: 1000)))))
        default: self = .unknown
        }
    }
}
