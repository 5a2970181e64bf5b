// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

/// How many generations may live at once.
extension GenerationCore {
    /// Other generations that live; none are looked for where any number may.
    func otherGenerations() -> [Int] {
        guard lifecycle.maximumGenerations != nil else { return [] }
        return directory.generations().filter { $0 != number && directory.isLiving($0) }
    }

    /// Asks the other generations what they are at, and tells `completion`.
    func describeCrowd(_ maximum: Int, _ completion: @escaping @ControlThread (String) -> Void) {
        let others = otherGenerations()
        Crowd.ask(others, in: directory) { [service, number] members in
            let clauses = members.map(\.description).joined(separator: "; ")
            let oldest = others.first.map { "\($0)" } ?? "N"
            completion(
                "at most \(maximum) generations may live at once, and a successor would be one more: \(clauses); generation \(number) serves on. Wait, cut the oldest with `swapctl drain \(service) --generation \(oldest) --deadline 0s`, or upgrade with --evict-oldest"
            )
        }
    }
}
