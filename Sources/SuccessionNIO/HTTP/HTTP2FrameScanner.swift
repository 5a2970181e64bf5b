// SPDX-License-Identifier: Apache-2.0

#if NIO
import NIOCore

/// Finds the frames in one direction of an HTTP/2 connection (RFC 9113 §4.1), whatever the pieces
/// in which the bytes come.
struct HTTP2FrameScanner {
    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let resetStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let pushPromise: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let continuation: UInt8 = 9
    }

    enum Flag {
        /// Of PING.
        static let acknowledgement: UInt8 = 0x1
        static let endStream: UInt8 = 0x1
        static let endHeaders: UInt8 = 0x4
    }

    struct Frame {
        let kind: UInt8
        let flags: UInt8
        let stream: UInt32
        /// The first eight bytes, or fewer if there are not so many.
        fileprivate(set) var payload: UInt64 = 0

        func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
    }

    static let headerLength = 9
    /// `PRI * HTTP/2.0 …`, which a client sends before its first frame.
    static let prefaceLength = 24

    /// Bytes of something else than frames.
    private var skipping: Int
    private var header: (bytes: UInt64, count: Int) = (0, 0)
    private var lastByteOfStream: UInt8 = 0
    private var frame: Frame?
    private var remaining = 0
    private var payloadRoom = 0
    private(set) var isInHeaderBlock = false

    init(skipping: Int = 0) {
        self.skipping = skipping
    }

    /// Whether another frame may be put in here.
    var isBetweenFrames: Bool { frame == nil && header.count == 0 && !isInHeaderBlock }

    /// Calls `found` with each frame whose last byte is among these.
    mutating func scan(_ bytes: ByteBufferView, _ found: (Frame) -> Void) {
        var rest = bytes[...]
        let skipped = min(skipping, rest.count)
        skipping -= skipped
        rest = rest.dropFirst(skipped)
        while true {
            if frame == nil {
                guard readHeader(&rest) else { return }
            }
            guard var current = frame else { return }
            while payloadRoom > 0, let byte = rest.popFirst() {
                current.payload = current.payload << 8 | UInt64(byte)
                payloadRoom -= 1
                remaining -= 1
            }
            let passed = min(remaining, rest.count)
            remaining -= passed
            rest = rest.dropFirst(passed)
            frame = current
            guard remaining == 0 else { return }
            frame = nil
            noteHeaderBlock(current)
            found(current)
        }
    }

    /// Passes over bytes that cannot be looked at, which belong to the payload of one frame.
    mutating func skip(_ count: Int, _ found: (Frame) -> Void) {
        guard let current = frame, count <= remaining else { return }
        remaining -= count
        payloadRoom = max(0, payloadRoom - count)
        guard remaining == 0 else { return }
        frame = nil
        found(current)
    }

    /// False if there are not enough bytes.
    private mutating func readHeader(_ rest: inout ByteBufferView.SubSequence) -> Bool {
        while header.count < Self.headerLength {
            guard let byte = rest.popFirst() else { return false }
            header.count += 1
            if header.count == Self.headerLength {
                lastByteOfStream = byte
            } else {
                header.bytes = header.bytes << 8 | UInt64(byte)
            }
        }
        // 24 bits of length, 8 of kind, 8 of flags, and of the stream's 32 all but the last 8.
        remaining = Int(header.bytes >> 40)
        let stream = UInt32(truncatingIfNeeded: header.bytes << 8) | UInt32(lastByteOfStream)
        frame = Frame(
            kind: UInt8(truncatingIfNeeded: header.bytes >> 32),
            flags: UInt8(truncatingIfNeeded: header.bytes >> 24), stream: stream & 0x7fff_ffff)
        payloadRoom = min(8, remaining)
        header = (0, 0)
        return true
    }

    private mutating func noteHeaderBlock(_ frame: Frame) {
        switch frame.kind {
        case Kind.headers, Kind.pushPromise, Kind.continuation:
            isInHeaderBlock = !frame.has(Flag.endHeaders)
        default: break
        }
    }
}
#endif
