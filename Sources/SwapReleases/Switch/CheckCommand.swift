// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The operator's check of a release: a shell command that runs before the switch.
///
/// The environment names each file of the release: `BIN_FILE`, `CFG_FILE`.
struct CheckCommand: Sendable {
    var line: String
    var timeout: Duration

    /// Throws unless the command exits with status 0 in time; the message has the end of its output.
    ///
    /// Where root works with the rights of the site's owner, the command runs as that owner.
    func run(_ selection: SelectedFiles, in site: ReleaseSite) throws(ControlError) {
        let (read, write) = try attempt("cannot make a pipe") { () throws(Errno) in
            // A command's own end blocks: many programs fail on a full pipe that does not.
            let pipe = try Syscall.pipe(nonBlocking: false)
            try Syscall.setNonBlocking(pipe.read.rawValue, true)
            return pipe
        }
        let null = try attempt("cannot open /dev/null") { () throws(Errno) in
            try Syscall.open("/dev/null", .readWrite)
        }
        var request = SpawnRequest(
            path: "/bin/sh", arguments: ["sh", "-c", line],
            environment: ProcessEnvironment.snapshot(),
            descriptors: [
                (source: null.rawValue, target: 0), (source: write.rawValue, target: 1),
                (source: write.rawValue, target: 2),
            ],
            newSession: true)
        site.rights.apply(to: &request, in: site.root)
        request.environment += variables(selection)
        let process = try attempt("cannot run /bin/sh for the check") { () throws(Errno) in
            try request.spawn()
        }
        write.close()
        withExtendedLifetime(null) {}
        let (status, output) = finish(process, read)
        if status == .exited(0) { return }
        let limit = DurationText.deadline(milliseconds: timeout.wholeMilliseconds)
        let end = status.map(\.description) ?? "was not done after \(limit), and was ended"
        throw .configuration("the check `\(line)` \(end)\(Self.quoted(output))")
    }

    private func variables(_ selection: SelectedFiles) -> [String] {
        selection.order.compactMap { key in
            let name = String(key.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
            return selection.files[key].map { "\(name)_FILE=\($0)" }
        }
    }

    /// Waits for the end of the command; status nil: it was killed at the time limit.
    private func finish(
        _ process: ProcessHandle, _ output: OwnedDescriptor
    ) -> (status: ExitStatus?, output: [UInt8]) {
        let deadline =
            Syscall.monotonicNanoseconds() + UInt64(max(0, timeout.wholeMilliseconds)) * 1_000_000
        var written: [UInt8] = []
        var isOpen = true
        while true {
            if let status = try? process.reap() {
                _ = drain(output, &written)
                return (status, written)
            }
            let now = Syscall.monotonicNanoseconds()
            if now >= deadline { break }
            let entries = [
                (fd: process.descriptor?.rawValue ?? -1, events: Syscall.pollIn),
                (fd: isOpen ? output.rawValue : -1, events: Syscall.pollIn),
            ]
            // The end of a process without a pidfd is no event: it is looked for every 20 ms.
            let longest: UInt64 = process.descriptor == nil ? 20 : 60_000
            let left = min((deadline - now) / 1_000_000 + 1, longest)
            _ = try? Syscall.poll(entries, timeoutMilliseconds: CInt(left))
            isOpen = isOpen && drain(output, &written)
        }
        // The processes it has started are in its session, and in this group.
        Syscall.signalGroup(process.processID, Signals.kill)
        _ = process.waitForExit(deadline: Syscall.monotonicNanoseconds() + 5_000_000_000)
        _ = try? process.reap()
        _ = drain(output, &written)
        return (nil, written)
    }

    /// Reads what has been written, and keeps the last 4096 bytes; false at end of file.
    private func drain(_ output: OwnedDescriptor, _ written: inout [UInt8]) -> Bool {
        while let bytes = try? Syscall.read(output.rawValue, count: 65_536) {
            if bytes.isEmpty { return false }
            written = (written + bytes).suffix(4_096)
        }
        return true
    }

    private static func quoted(_ output: [UInt8]) -> String {
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").suffix(3)
        return lines.isEmpty
            ? "" : ": " + lines.map { String($0).terminalSafe }.joined(separator: " | ")
    }
}
