// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The descriptors of one packet; those that nobody takes are closed with it.
///
/// An owner is made for a descriptor when it is taken, and not for each as it arrives: a peer waits
/// for the packet to be acknowledged, and there may be hundreds.
package final class ReceivedDescriptors: RandomAccessCollection, Sendable {
    private enum Slot {
        case number(CInt)
        case taken(OwnedDescriptor)
    }

    private let slots: Mutex<[Slot]>
    package let endIndex: Int

    package init(taking numbers: some Collection<CInt>) {
        slots = Mutex(numbers.map { .number($0) })
        endIndex = numbers.count
    }

    deinit {
        slots.withLock { slots in
            for case .number(let number) in slots { _ = Glibc.close(number) }
        }
    }

    package var startIndex: Int { 0 }

    /// The owner of a descriptor, the same one each time.
    package subscript(index: Int) -> OwnedDescriptor {
        slots.withLock { slots in
            switch slots[index] {
            case .taken(let owner): return owner
            case .number(let number):
                let owner = OwnedDescriptor(taking: number)
                slots[index] = .taken(owner)
                return owner
            }
        }
    }
}
