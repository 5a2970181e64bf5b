// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SuccessionSystem
import Synchronization
public import SystemPackage

/// Descriptors that the service manager keeps, so that they outlive a crash
/// (`FileDescriptorStoreMax=`).
///
/// Listeners that were bound by a generation are kept without being asked for. The rest is for what
/// else must not be lost: connections, memory files.
extension Generation {
    /// Has the service manager keep a duplicate of a descriptor under a name, until it is removed
    /// or the unit is stopped; every successor gets it too.
    ///
    /// The descriptor stays the caller's. Several may share a name. From now on closing a
    /// connection does not end it: shut it down, or remove it. Before ``ready()`` the manager does
    /// not listen, and gets it then. Throws ``SuccessionError/Code/resourcesExhausted`` if the
    /// manager has as many as it keeps, ``SuccessionError/Code/invalidState`` if it keeps none, or
    /// a successor has taken over. Cancelling the task changes nothing.
    @concurrent
    public func store(
        _ descriptor: FileDescriptor, named name: String
    ) async throws(SuccessionError) {
        try checkCharacters(of: name)
        try await core.keep(descriptor.rawValue, named: name)
    }

    /// Has the service manager drop what it keeps under a name; a name that is not there is no
    /// error.
    ///
    /// Descriptors that ``stored(named:)`` returned stay open. Cancelling the task changes nothing.
    @concurrent
    public func removeStored(named name: String) async {
        await core.removeStored(named: name)
    }

    /// What an earlier generation, crashed or succeeded, had stored under a name; the caller owns
    /// the descriptors, and the manager keeps its own.
    ///
    /// Empty if there is nothing of that name, and without a manager that keeps descriptors: that is
    /// no error. What nobody has asked for by ``ready()`` is dropped, in the manager too. Throws
    /// ``SuccessionError/Code/resourcesExhausted`` if the process has as many descriptors as it may.
    /// Cancelling the task changes nothing.
    @concurrent
    public func stored(named name: String) async throws(SuccessionError) -> [FileDescriptor] {
        try await core.takeStored(named: name).map { FileDescriptor(rawValue: $0) }
    }
}

extension GenerationCore {
    fileprivate func keep(_ descriptor: CInt, named name: String) throws(SuccessionError) {
        guard let store else {
            throw SuccessionError(
                .invalidState,
                "'\(name)' cannot be stored: no service manager keeps descriptors for this process (FileDescriptorStoreMax=, and SUCCESSION_FDSTORE= before systemd 254)"
            )
        }
        preparedOffer = nil
        try store.store(descriptor, named: name)
    }

    fileprivate func takeStored(named name: String) throws(SuccessionError) -> [CInt] {
        guard let store else { return [] }
        shared.withLock { _ = $0.claimedNames.insert(name) }
        var copies: [OwnedDescriptor] = []
        do {
            for descriptor in store.descriptors(named: name) {
                copies.append(try descriptor.duplicate())
            }
        } catch {
            throw .system("cannot take '\(name)' from the descriptor store", error)
        }
        return copies.map { $0.relinquish() }
    }

    fileprivate func removeStored(named name: String) {
        let removed = store?.remove(name) ?? []
        preparedOffer = nil
        // An offer under way names them by number.
        if lifecycle.runningRequest != nil { offeredDescriptors += removed }
    }

    /// To be called when this generation is the main process and accepts.
    func keepListeners() {
        guard let store else { return }
        let (listeners, claimed, former) = shared.withLock {
            ($0.listeners, $0.claimedNames, $0.formerNames)
        }
        store.dropUnclaimed(claimed)
        store.drop(former)
        store.becomeMain(listeners)
        preparedOffer = nil
    }
}
