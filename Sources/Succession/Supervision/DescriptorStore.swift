// SPDX-License-Identifier: Apache-2.0

import SuccessionActivation
import SuccessionProtocol
import SuccessionSystem
import Synchronization
import SystemPackage

/// The service manager's copies of this service's descriptors: listeners, so that a crash refuses
/// nobody, and whatever the application names.
///
/// Only the main process is heard. So nothing is sent before this generation is that, and
/// everything since then is known here and goes on to the successor by name.
@ControlThread
final class DescriptorStore {
    private enum Role {
        case notYet, main, over
    }

    private struct Item {
        let stored: StoredDescriptor
        /// The manager has it.
        var isSent: Bool
        /// The successor under way has been told.
        var isOffered = false
    }

    let limit: Int
    private let manager: ServiceManager
    private let report: Supervision.Report
    private var role = Role.notYet
    private var items: [Item]
    private var listeners: [Listener] = []
    private var record: StoreRecord?
    private var isRecordSent = false
    /// Names whose descriptors nobody will ask for, and how many of them the manager has.
    private var unused: Set<String>

    init(
        _ manager: ServiceManager, limit: Int, stored: [StoredDescriptor], stale: Set<String>,
        report: @escaping Supervision.Report
    ) {
        self.manager = manager
        self.limit = limit
        self.report = report
        unused = stale
        items = stored.filter { $0.name != StoreRecord.name }.map { Item(stored: $0, isSent: true) }
        if let file = stored.first(where: { $0.name == StoreRecord.name })?.descriptor {
            record = StoreRecord(file)
            isRecordSent = true
        }
    }

    /// How many the manager has.
    var count: Int {
        items.count(where: { $0.isSent })
            + listeners.count(where: { $0.isStored.load(ordering: .relaxed) })
            + (isRecordSent ? 1 : 0)
    }

    // MARK: The application's

    func store(_ descriptor: CInt, named name: String) throws(SuccessionError) {
        guard role != .over else {
            throw SuccessionError(
                .invalidState,
                "'\(name)' cannot be stored: a successor is the main process of the unit now")
        }
        guard !listeners.contains(where: { $0.name == name }) else {
            throw SuccessionError(
                .invalidName, "'\(name)' is stored already: it is the name of a listener")
        }
        // Room for the record, which comes first.
        guard reserved < limit else {
            throw SuccessionError(
                .resourcesExhausted,
                "'\(name)' cannot be stored: the service manager keeps \(limit) descriptors for this unit and has them (FileDescriptorStoreMax=)"
            )
        }
        let copy: OwnedDescriptor
        do {
            copy = try OwnedDescriptor.duplicating(descriptor)
        } catch {
            throw .system("descriptor \(descriptor) cannot be stored as '\(name)'", error)
        }
        items.append(
            Item(stored: StoredDescriptor(name: name, descriptor: copy), isSent: false))
        unused.remove(name)
        if role == .main { send() }
    }

    /// Returns this process's own copies.
    func remove(_ name: String) -> [OwnedDescriptor] {
        let removed = descriptors(named: name)
        guard !removed.isEmpty else { return [] }
        items.removeAll { $0.stored.name == name }
        if role == .main {
            manager.removeStored(named: name)
            writeRecord()
        } else {
            // Said once this is the main process.
            unused.insert(name)
        }
        return removed
    }

    func descriptors(named name: String) -> [OwnedDescriptor] {
        items.filter { $0.stored.name == name }.map(\.stored.descriptor)
    }

    // MARK: Its part in an upgrade

    /// What a successor is offered beside the listeners.
    func offer() -> [(ManifestEntry, CInt)] {
        for index in items.indices { items[index].isOffered = true }
        var offered = items.map { ($0.stored.entry, $0.stored.descriptor.rawValue) }
        if let record, isRecordSent {
            let stored = StoredDescriptor(name: StoreRecord.name, descriptor: record.file)
            offered.append((stored.entry, record.file.rawValue))
        }
        return offered
    }

    /// The last moment at which this generation is heard: what the successor does not know of is
    /// dropped.
    func relinquish() {
        guard role == .main else { return }
        role = .over
        for name in Set(items.filter { $0.isSent && !$0.isOffered }.map(\.stored.name)) {
            manager.removeStored(named: name)
            for index in items.indices where items[index].stored.name == name {
                items[index].isSent = false
                // Of a name, everything is dropped: what the successor knows of is sent again.
                if items[index].isOffered { sendAgain(index) }
            }
        }
    }

    private func sendAgain(_ index: Int) {
        let stored = items[index].stored
        do {
            try manager.store([stored.descriptor], named: stored.name)
            items[index].isSent = true
        } catch {
            report(.warning, "'\(stored.name)' is no longer stored: \(error)")
        }
    }

    /// This generation is the main process.
    ///
    /// `given` are the listeners it has; nothing else is asked for any more.
    func becomeMain(_ given: [Listener]) {
        role = .main
        // A manager's own socket is in its unit's keeping.
        listeners = given.filter { $0.origin == .bound && $0.address.kind != .other }
        forgetUnused()
        send()
    }

    func takeBack() {
        guard role == .over else { return }
        role = .main
        forgetUnused()
        send()
    }

    private func forgetUnused() {
        for name in unused { forget(name) }
        unused = []
    }

    /// Of a name, either everything is dropped or nothing: what is still of use is sent again.
    private func forget(_ name: String) {
        manager.removeStored(named: name)
        for index in items.indices where items[index].stored.name == name {
            items[index].isSent = false
        }
        for listener in listeners where listener.name == name {
            listener.isStored.store(false, ordering: .relaxed)
        }
    }

    /// Names of what was inherited and nobody took; to be called before ``becomeMain(_:)``.
    func drop(_ names: some Sequence<String>) {
        unused.formUnion(names)
    }

    /// Stored descriptors nobody has asked for.
    func dropUnclaimed(_ claimed: Set<String>) {
        let unclaimed = Set(items.filter(\.isSent).map(\.stored.name)).subtracting(claimed)
        for name in unclaimed.sorted() {
            report(.warning, "dropped '\(name)': the service manager kept it and nobody took it")
            // The application may have stored something of its own under that name.
            items.removeAll { $0.stored.name == name && $0.isSent }
        }
        drop(unclaimed)
    }

    // MARK: Sending

    /// Slots taken and promised, the record's too.
    private var reserved: Int {
        items.count + listeners.count(where: { $0.isStored.load(ordering: .relaxed) }) + 1
    }

    private func send() {
        do {
            try sendRecord()
            for index in items.indices where !items[index].isSent {
                let stored = items[index].stored
                try manager.store([stored.descriptor], named: stored.name)
                items[index].isSent = true
            }
            for listener in listeners where !listener.isStored.load(ordering: .relaxed) {
                guard reserved < limit else {
                    report(
                        .warning,
                        "'\(listener.name)' (\(listener.address)) is not stored and will be lost in a crash: the service manager keeps \(limit) descriptors for this unit (FileDescriptorStoreMax=)"
                    )
                    break
                }
                // A copy lives until it is sent, whatever becomes of the listener meanwhile.
                try manager.store([listener.descriptor.duplicate()], named: listener.name)
                listener.isStored.store(true, ordering: .relaxed)
            }
        } catch {
            report(.warning, "the service manager's descriptor store cannot be used: \(error)")
        }
        writeRecord()
    }

    private func sendRecord() throws {
        guard !isRecordSent else { return }
        let record = try StoreRecord()
        self.record = record
        try manager.store([record.file], named: StoreRecord.name)
        isRecordSent = true
    }

    private func writeRecord() {
        let stored = listeners.filter { $0.isStored.load(ordering: .relaxed) }
        do {
            try record?.write(
                stored.map { Manifest.entry(for: $0) }
                    + items.filter(\.isSent).map(\.stored.entry))
        } catch {
            report(.warning, "the record of stored descriptors cannot be written: \(error)")
        }
    }
}
