// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// A connection read by lines and counts, whose every wait has a deadline.
final class ClientStream {
    private static let longestLine = 65_536

    private let socket: OwnedDescriptor
    private var buffer: ArraySlice<UInt8> = []
    /// When the exchange must be over.
    private var deadline: UInt64

    init(connectingTo address: SocketAddress, timeout: Duration) throws(ClientFailure) {
        deadline = Self.deadline(timeout)
        do {
            // Blocking: a socket that does not block fails at once when the queue of a Unix listener is full, where a
            // real client waits.
            socket = try Syscall.openSocket(
                family: address.socketFamily, type: .stream, nonBlocking: false)
            try Syscall.setSendTimeout(
                socket.rawValue, milliseconds: max(1, timeout.millisecondsClamped))
            try Syscall.connect(socket.rawValue, to: address)
            try Syscall.setNonBlocking(socket.rawValue, true)
        } catch {
            throw ClientFailure(error, during: "connect")
        }
    }

    /// Gives the next exchange its time.
    func begin(timeout: Duration) {
        deadline = Self.deadline(timeout)
    }

    /// Whether bytes have come that nobody has consumed.
    var hasUnread: Bool { !buffer.isEmpty }

    func send(_ bytes: [UInt8]) throws(ClientFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            do {
                rest = rest.dropFirst(try Syscall.send(socket.rawValue, Array(rest)))
            } catch {
                guard error == .wouldBlock else { throw ClientFailure(error, during: "send") }
                try wait(Syscall.pollOut, "to send")
            }
        }
    }

    /// Waits until at least one byte can be consumed; false at end-of-file.
    func fill() throws(ClientFailure) -> Bool {
        while buffer.isEmpty {
            do {
                let bytes = try Syscall.read(socket.rawValue, count: 65_536)
                if bytes.isEmpty { return false }
                buffer = bytes[...]
            } catch {
                guard error == .wouldBlock else { throw ClientFailure(error, during: "receive") }
                try wait(Syscall.pollIn, "for an answer")
            }
        }
        return true
    }

    /// Consumes one line, and returns it without its line feed.
    func readLine() throws(ClientFailure) -> String {
        var line: [UInt8] = []
        while line.count <= Self.longestLine {
            guard try fill() else {
                throw ClientFailure(
                    .truncated, "end-of-file in a line, after \(line.count) bytes")
            }
            let part = buffer.prefix { $0 != UInt8(ascii: "\n") }
            line += part
            buffer = buffer.dropFirst(part.count)
            if !buffer.isEmpty {
                buffer = buffer.dropFirst()
                return String(decoding: line, as: UTF8.self)
            }
        }
        throw ClientFailure(.wrongAnswer, "a line of more than \(Self.longestLine) bytes")
    }

    /// Consumes `count` bytes.
    func skip(_ count: Int) throws(ClientFailure) {
        var missing = count
        while missing > 0 {
            guard try fill() else {
                throw ClientFailure(
                    .truncated, "end-of-file, \(missing) bytes before the end of a body")
            }
            let step = min(missing, buffer.count)
            buffer = buffer.dropFirst(step)
            missing -= step
        }
    }

    private func wait(_ events: CShort, _ what: String) throws(ClientFailure) {
        let now = Syscall.monotonicNanoseconds()
        let left = deadline > now ? (min(deadline - now, 60_000_000_000) + 999_999) / 1_000_000 : 0
        do {
            if try Syscall.poll(
                socket.rawValue, events: events, timeoutMilliseconds: CInt(left))
            {
                return
            }
        } catch {
            throw ClientFailure(error, during: "poll")
        }
        if Syscall.monotonicNanoseconds() >= deadline {
            throw ClientFailure(.timedOut, "waited in vain \(what)")
        }
    }

    private static func deadline(_ timeout: Duration) -> UInt64 {
        Syscall.monotonicNanoseconds() + timeout.nanosecondsClamped
    }
}

extension ClientFailure {
    fileprivate init(_ error: Errno, during call: String) {
        let kind: Loss.Kind =
            switch error {
            // A path that does not exist is to a client what a closed port is: nobody listens.
            case .connectionRefused, .noSuchFileOrDirectory: .refused
            case .connectionReset, .brokenPipe: .reset
            // The way in which a blocking connect reports that its time is over.
            case .timedOut, .wouldBlock, .nowInProgress: .timedOut
            default: .system
            }
        self.init(kind, "\(call): \(error)")
    }
}
