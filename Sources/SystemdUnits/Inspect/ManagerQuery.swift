// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// Asks the service manager about a unit, through `systemctl show`.
///
/// The bus would need a library of its own, or a link to that of the manager.
struct ManagerQuery {
    /// Why the manager could not be asked, as a clause of a sentence.
    struct QueryFailure: Error, Hashable {
        let reason: String
    }

    let unit: UnitReference
    /// The path of the program, or its name in `PATH`.
    var tool = "systemctl"
    var patience: Duration = .seconds(2)

    /// Returns when the tool has answered; kills it and throws after ``patience``.
    func ask() throws(QueryFailure) -> UnitProperties {
        let command: SuccessorCommand?
        do {
            command = try SuccessorCommand([tool] + arguments)
        } catch {
            throw QueryFailure(reason: "there is no systemctl here")
        }
        guard let command else { throw QueryFailure(reason: "there is no systemctl here") }
        let (status, output, errors) = try run(command)
        guard status == .exited(0) else {
            let line = errors.split(separator: "\n").first.map(String.init) ?? "it said nothing"
            throw QueryFailure(reason: "systemctl failed: \(line.terminalSafe)")
        }
        let properties = UnitProperties(output)
        if properties["LoadState"] == "not-found" {
            throw QueryFailure(reason: "the manager that was asked does not know it")
        }
        return properties
    }

    private var arguments: [String] {
        (unit.isOfUser ? ["--user"] : [])
            + [
                "show", "--no-pager", "--property=" + UnitProperties.names.joined(separator: ","),
                "--", unit.name,
            ]
    }

    private func run(
        _ command: SuccessorCommand
    ) throws(QueryFailure) -> (status: ExitStatus?, output: String, errors: String) {
        let deadline = Clock.after(milliseconds: patience.wholeMilliseconds)
        do {
            let output = try Syscall.pipe(nonBlocking: false)
            let errors = try Syscall.pipe(nonBlocking: false)
            let process = try SpawnRequest(
                path: command.executable, arguments: command.arguments,
                descriptors: [
                    (source: output.write.rawValue, target: 1),
                    (source: errors.write.rawValue, target: 2),
                ]
            ).spawn()
            output.write.close()
            errors.write.close()
            let texts = try read([output.read, errors.read], until: deadline)
            let isOver = texts != nil && process.waitForExit(deadline: deadline)
            if !isOver {
                try process.signal(Signals.kill)
                _ = process.waitForExit(deadline: Clock.after(milliseconds: 1_000))
            }
            let status = try process.reap()
            guard isOver, let texts else {
                let limit = DurationText.seconds(
                    microseconds: patience.wholeMilliseconds * 1_000)
                throw QueryFailure(reason: "systemctl did not answer within \(limit)")
            }
            return (status, texts[0], texts[1])
        } catch let failure as QueryFailure {
            throw failure
        } catch {
            throw QueryFailure(reason: "systemctl cannot be run: \(error)")
        }
    }

    /// Reads every source to its end; nil: the deadline passed first.
    private func read(
        _ sources: [OwnedDescriptor], until deadline: UInt64
    ) throws(Errno) -> [String]? {
        var texts = sources.map { _ in [UInt8]() }
        var open = sources.map { Optional($0) }
        while open.contains(where: { $0 != nil }) {
            let now = Clock.now
            if now >= deadline { return nil }
            let ready = try Syscall.poll(
                open.map { (fd: $0?.rawValue ?? -1, events: Syscall.pollIn) },
                timeoutMilliseconds: CInt(clamping: (deadline - now) / 1_000_000 + 1))
            for (index, events) in ready.enumerated() where events != 0 {
                guard let source = open[index] else { continue }
                let bytes = try Syscall.read(source.rawValue, count: 65_536)
                texts[index] += bytes
                // The answer about one unit is far below a megabyte.
                if bytes.isEmpty || texts[index].count > 1 << 20 { open[index] = nil }
            }
        }
        return texts.map { String(decoding: $0, as: UTF8.self) }
    }
}
