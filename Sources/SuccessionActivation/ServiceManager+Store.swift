// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem

/// Descriptors that the manager keeps while the service is restarted (`FileDescriptorStoreMax=`).
///
/// The next process finds them among its ``ListenDescriptors``, after those of socket units.
extension ServiceManager {
    /// How many descriptors the manager keeps for this service; nil if none, and from managers
    /// before 254, which do not say it.
    public static func storeLimit() -> Int? {
        ProcessEnvironment.value("FDSTORE").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Whether the manager keeps a descriptor under this name: at most 255 printable ASCII
    /// characters without `:`.
    ///
    /// Under another name it is kept as `stored`.
    public static func canStore(named name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }

    /// Has the manager keep a duplicate of a descriptor, which stays the caller's.
    ///
    /// Several may share a name, and one open file is kept once. What exceeds the limit is dropped
    /// without a word. From now on closing a connection does not end it: shut it down, or remove it
    /// from the store.
    public func store(_ descriptor: Int32, named name: String) throws(ActivationError) {
        let copy: OwnedDescriptor
        do {
            copy = try OwnedDescriptor.duplicating(descriptor)
        } catch {
            throw ActivationError(
                .notDelivered, "descriptor \(descriptor) cannot be stored as '\(name)': \(error)")
        }
        try store([copy], named: name)
    }

    /// Has the manager drop everything it keeps under this name; a name it does not know is no
    /// error.
    public func removeStored(named name: String) {
        guard Self.canStore(named: name) else { return }
        submit([.removeStored(name)]) { _ in }
    }

    package func store(
        _ descriptors: [OwnedDescriptor], named name: String
    ) throws(ActivationError) {
        guard Self.canStore(named: name) else {
            throw ActivationError(
                .notDelivered,
                "'\(name)' is no name for the descriptor store: at most 255 printable ASCII characters without ':'"
            )
        }
        var rest = descriptors[...]
        while !rest.isEmpty {
            // The kernel takes 253 in one message.
            let part = Array(rest.prefix(250))
            rest = rest.dropFirst(part.count)
            submit([.store(name)], descriptors: part) { _ in }
        }
    }
}
