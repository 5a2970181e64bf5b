// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The events a watch waits for: changes of `current.conf`, the release of the lock of the switch,
/// signals, and the end of the server.
final class WatchSources {
    enum Event {
        /// With the cause, for the journal.
        case changed(String)
        case unlocked
        /// The serving process has ended; nil: its status is not known.
        case serverEnded(ExitStatus?)
        case stop
    }

    private static let signals = [Signals.terminate, Signals.interrupt]

    private let site: ReleaseSite
    private let watch: DirectoryWatch
    private let directory: CInt
    private let state: CInt
    /// The names, each in a watched directory, that decide where the link `current.conf` leads.
    private var followed: [(watch: CInt, name: String)] = []
    private let signalPipe: (read: OwnedDescriptor, write: OwnedDescriptor)
    private var children: [ProcessHandle] = []
    /// The serving process, which need not be a child of this process.
    private var server: ProcessHandle?
    private var isServerGone = false

    init(_ site: ReleaseSite) throws(ControlError) {
        self.site = site
        (watch, directory, state) = try attempt("cannot watch \(site.directory)") {
            () throws(Errno) in
            let watch = try DirectoryWatch()
            return (watch, try watch.add(site.root), try watch.add(site.openState()))
        }
        signalPipe = try attempt("cannot catch signals") { () throws(Errno) in
            let pipe = try Syscall.pipe(nonBlocking: true)
            try SignalRelay.install(Self.signals, writingTo: pipe.write.rawValue)
            return pipe
        }
        SignalRelay.unblockInThisThread(Self.signals)
    }

    /// Readable while a signal has not been taken by ``wait(until:)``.
    var signals: CInt { signalPipe.read.rawValue }

    func close() {
        SignalRelay.restoreDefault(Self.signals)
    }

    /// Follows the end of this process alone; nil: it has ended already, which the next wait reports.
    func follow(server process: ProcessHandle?) {
        server = process
        isServerGone = process == nil
    }

    /// Reaps this child when it ends.
    func adopt(_ process: ProcessHandle) { children.append(process) }

    /// If `current.conf` is a link, watches every link on its way and the file at the end too.
    func follow() {
        followed = []
        guard let chain = try? site.follow(site.currentName), !chain.links.isEmpty else { return }
        for step in chain.links + [chain.end] {
            guard let number = try? watch.add(step.directory) else { continue }
            followed.append((number, step.name))
        }
    }

    /// Waits for an event, or until a moment of the monotonic clock in nanoseconds, and returns all
    /// events; nil: without a limit.
    func wait(until end: UInt64?) throws(ControlError) -> [Event] {
        let entries =
            [
                (fd: watch.descriptor.rawValue, events: Syscall.pollIn),
                (fd: signalPipe.read.rawValue, events: Syscall.pollIn),
            ]
            + (children + [server].compactMap { $0 }).map {
                (fd: $0.descriptor?.rawValue ?? -1, events: Syscall.pollIn)
            }
        let events = try attempt("cannot wait for changes") {
            () throws(Errno) -> [DirectoryWatch.Event] in
            let timeout = isServerGone ? 0 : milliseconds(until: end)
            _ = try Syscall.poll(entries, timeoutMilliseconds: timeout)
            return try watch.events()
        }
        children.removeAll { child in
            do throws(Errno) {
                return try child.reap() != nil
            } catch {
                return true
            }
        }
        var found: [Event] = []
        if let bytes = try? Syscall.read(signalPipe.read.rawValue, count: 64), !bytes.isEmpty {
            found.append(.stop)
        }
        for event in events { found += try meaning(event) }
        if isServerGone || server?.isAlive() == false {
            found.append(.serverEnded(server?.exitStatus()))
            (server, isServerGone) = (nil, false)
        }
        return found
    }

    /// The end of the followed server, if it comes by `deadline` in monotonic nanoseconds; it is then no
    /// event of ``wait(until:)`` any more.
    func takeServerEnd(deadline: UInt64) -> Event? {
        guard isServerGone || server?.waitForExit(deadline: deadline) == true else { return nil }
        defer { (server, isServerGone) = (nil, false) }
        return .serverEnded(server?.exitStatus())
    }

    private func milliseconds(until end: UInt64?) -> CInt {
        // The end of a process without a pidfd is no event: it is looked for every second.
        let hasNone = (children + [server].compactMap { $0 }).contains { $0.descriptor == nil }
        let longest: UInt64 = hasNone ? 1_000 : 3_600_000
        let now = Syscall.monotonicNanoseconds()
        let left = end.map { $0 > now ? ($0 - now + 999_999) / 1_000_000 : 0 } ?? longest
        return CInt(min(left, longest))
    }

    private func meaning(_ event: DirectoryWatch.Event) throws(ControlError) -> [Event] {
        if !event.kind.isDisjoint(with: .overflow) {
            return [.changed("many files changed"), .unlocked]
        }
        let isOurs = event.watch == directory || event.watch == state
        if isOurs, !event.kind.isDisjoint(with: .directoryGone) {
            throw .configuration(
                "\(event.watch == state ? site.stateDirectory : site.directory) was moved or "
                    + "removed; the watch ends")
        }
        if event.watch == directory, event.name == site.currentName {
            return [.changed(cause)]
        }
        if followed.contains(where: { $0.watch == event.watch && $0.name == event.name }) {
            return [.changed(cause)]
        }
        if event.watch == state, event.name == "\(SiteLock.Kind.change.rawValue).lock",
            !event.kind.isDisjoint(with: .written)
        {
            return [.unlocked]
        }
        return []
    }

    private var cause: String {
        let name = Path.name(site.currentPath)
        guard let owner = (try? site.root.facts(name))?.userID else {
            return "\(name) was removed"
        }
        return "\(name) changed (owner \(User.withID(owner)?.name ?? "uid \(owner)"))"
    }
}
