// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import SuccessionTransport

/// How many generations may live at once.
extension GenerationCore {
    /// How many generations may live at once, at least this one and a successor; nil: any number.
    var maximumGenerations: Int? { configuration.maximumGenerations.map { max(2, $0) } }

    /// Calls `refuse` if a successor would be one too many, and returns whether it will.
    func refuseIfCrowded(_ refuse: @escaping @ControlThread (Failure) -> Void) -> Bool {
        guard let maximum = maximumGenerations else { return false }
        let others = directory.generations().filter { $0 != number && directory.isLiving($0) }
        // This one, and the successor.
        guard others.count + 2 > maximum else { return false }
        Crowd.ask(others, in: directory) { [service, number] members in
            let clauses = members.map(\.description).joined(separator: "; ")
            refuse(
                Failure(
                    code: .generations,
                    reason:
                        "at most \(maximum) generations may live at once, and a successor would be one more: \(clauses); generation \(number) serves on. Wait, cut the oldest with `swapctl drain \(service) --generation \(others[0]) --deadline 0s`, or upgrade with --evict-oldest"
                ))
        }
        return true
    }
}
