// SPDX-License-Identifier: Apache-2.0

#if Systemd
import SuccessionActivation
import SuccessionSystem
import Testing

@testable import Succession

/// What a manager has after a generation's messages: `FDSTOREREMOVE=1` drops everything of a name.
extension ManagerTests {
    /// Runs with a store in which `stored` are inherited; returns the names the manager ends with.
    private func names(
        _ stored: [String], _ body: @escaping @ControlThread (DescriptorStore) throws -> Void
    ) async throws -> [String] {
        try ReadinessLoop.shared.start()
        var kept = stored
        try await withManager { manager, fake in
            try await Self.run(manager, stored, body)
            manager.flush()
            while try !fake.isSilent() {
                let lines = try fake.receive().lines
                guard let name = lines.first(where: { $0.hasPrefix("FDNAME=") })?.dropFirst(7)
                else { continue }
                if lines.contains("FDSTOREREMOVE=1") { kept.removeAll { $0 == name } }
                if lines.contains("FDSTORE=1") { kept.append(String(name)) }
            }
        }
        return kept.filter { $0 != StoreRecord.name }.sorted()
    }

    @ControlThread
    private static func run(
        _ manager: ServiceManager, _ stored: [String],
        _ body: @ControlThread (DescriptorStore) throws -> Void
    ) throws {
        let items = try stored.map {
            StoredDescriptor(
                name: $0, descriptor: try MemoryFile.create(name: $0, allowSealing: false))
        }
        try body(
            DescriptorStore(manager, limit: 16, stored: items, stale: [], report: { _, _ in }))
    }

    /// One the successor knows of and one it does not share a name.
    @Test func relinquish_whenANameIsShared_keepsWhatWasOffered() async throws {
        let names = try await names(["x"]) { store in
            store.becomeMain([])
            _ = store.offer()
            try store.store(2, named: "x")
            store.relinquish()
        }
        #expect(names == ["x"])
    }

    @Test func remove_whileASuccessorIsTheMainProcess_isMadeGoodWhenItFails() async throws {
        let names = try await names(["x", "y"]) { store in
            store.becomeMain([])
            _ = store.offer()
            store.relinquish()
            #expect(store.remove("x").count == 1)
            store.takeBack()
        }
        #expect(names == ["y"])
    }

    @Test func dropUnclaimed_whenTheNameIsUsedAnew_keepsTheNewOne() async throws {
        let names = try await names(["x"]) { store in
            try store.store(2, named: "x")
            store.dropUnclaimed([])
            store.becomeMain([])
            #expect(store.descriptors(named: "x").count == 1)
        }
        #expect(names == ["x"])
    }
}
#endif
