// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem

/// Requests that the lifecycle knows by number, and whom it answers by them.
@ControlThread
struct RequestTable {
    enum Inquiry {
        /// No session: a signal, or the application.
        case upgrade(LaunchPlan, ControlSession?)
        case abort(ControlSession)
        case reload(Reloading.Asker, within: Duration?)

        var session: ControlSession? {
            switch self {
            case .upgrade(_, let session): session
            case .abort(let session): session
            case .reload(let asker, _): asker.session
            }
        }
    }

    private var inquiries: [Int: Inquiry] = [:]
    private var lastID = 0

    nonisolated init() {}

    /// A request that answers nobody.
    mutating func make(of session: ControlSession? = nil) -> GenerationLifecycle.Request {
        lastID += 1
        return GenerationLifecycle.Request(
            id: lastID, since: Syscall.monotonicNanoseconds(),
            processID: session?.peer.processID)
    }

    mutating func add(_ inquiry: Inquiry) -> GenerationLifecycle.Request {
        let request = make(of: inquiry.session)
        inquiries[request.id] = inquiry
        return request
    }

    subscript(request: GenerationLifecycle.Request) -> Inquiry? { inquiries[request.id] }

    /// It is answered.
    mutating func remove(_ request: GenerationLifecycle.Request) -> Inquiry? {
        inquiries.removeValue(forKey: request.id)
    }
}
