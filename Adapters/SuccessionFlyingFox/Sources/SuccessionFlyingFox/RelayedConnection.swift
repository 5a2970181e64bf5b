// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Foundation
import Glibc
import Synchronization

/// What is known of one relayed connection: which requests have come, and with which of them it
/// ends.
///
/// It ends in the way that FlyingFox has for it: the server reads no more than the last request,
/// answers what it has, and closes.
final class RelayedConnection: Sendable {
    /// What came of the wish to end an idle connection.
    enum End: Equatable {
        case over
        /// A part of a request has come, or it was used a moment ago.
        case notYet
    }

    private static let longestHead = 262_144

    private struct State {
        var scanner = RequestScanner()
        /// A head that is not whole yet: FlyingFox would answer it if it ended here.
        var head = Data()
        /// How many requests the application has answered.
        var answered = 0
        /// The last request that the server gets; nil: not known yet.
        var last: Int?
        var isWriting = false
        /// The server's side, until nothing more is to be written there.
        var server: CInt?
        var lastUse = ContinuousClock.now
        var isCutInHead = false
    }

    let client: HTTPRequest.Address?
    private let state: Mutex<State>

    init(client: HTTPRequest.Address?) {
        self.client = client
        state = Mutex(State())
    }

    /// Whether a part of a head has come, and no more of it is waited for.
    var isCutInHead: Bool { state.withLock { $0.isCutInHead } }

    /// Says by which descriptor the server is reached, which the caller closes after ``leave()``.
    func reach(_ server: CInt) {
        state.withLock { $0.server = server }
    }

    func leave() {
        state.withLock { $0.server = nil }
    }

    /// Returns what of these bytes is for the server; ``wrote()`` follows.
    func take(_ bytes: Data) -> Data {
        state.withLock { state in
            state.lastUse = .now
            guard state.server != nil else { return Data() }
            var (rest, whole) = (bytes[...], Data())
            while !rest.isEmpty, state.last.map({ state.scanner.ended < $0 }) ?? true {
                let count = state.scanner.scanRequest(rest)
                state.head += rest.prefix(count)
                rest = rest.dropFirst(count)
                if !state.scanner.isInHead || state.head.count > Self.longestHead {
                    whole += state.head
                    state.head = Data()
                }
            }
            state.isWriting = !whole.isEmpty
            return whole
        }
    }

    /// The server has what was taken.
    func wrote() {
        state.withLock { state in
            state.isWriting = false
            Self.endIfComplete(&state)
        }
    }

    /// The client has been sent something.
    func used() {
        state.withLock { $0.lastUse = .now }
    }

    /// Whether the response that the application has made is the last: no other request has come
    /// by the time the first of them asks.
    func answersLastRequest(isDraining: Bool) -> Bool {
        state.withLock { state in
            state.answered += 1
            guard isDraining else { return false }
            let last = state.last ?? max(state.scanner.begun, state.answered)
            state.last = last
            Self.endIfComplete(&state)
            return state.answered >= last
        }
    }

    /// Ends the connection if no request has come that is not whole, and none a moment ago.
    ///
    /// - Parameter minimumTime: for how long it is left open after it was used.
    /// - Parameter stall: how long a head that has come in part may take for the next part; nil: as
    ///   long as it likes.
    func endIfIdle(minimumTime: Duration, stall: Duration) -> End {
        state.withLock { state in
            if state.server == nil { return .over }
            let idleTime = state.lastUse.duration(to: .now)
            let isInHead = state.scanner.isInHead
            guard isInHead || state.last == nil && state.scanner.isBetweenRequests,
                idleTime >= (isInHead ? max(minimumTime, stall) : minimumTime)
            else { return .notYet }
            state.last = state.scanner.ended
            state.isCutInHead = isInHead
            Self.endIfComplete(&state)
            return .over
        }
    }

    /// Half-closes when the server has the last request; under the lock, so that the descriptor is
    /// not another one's by now.
    private static func endIfComplete(_ state: inout State) {
        guard let last = state.last, let server = state.server, !state.isWriting,
            state.scanner.ended >= last || state.scanner.isOpaque
        else { return }
        _ = shutdown(server, CInt(SHUT_WR))
        state.server = nil
    }
}
