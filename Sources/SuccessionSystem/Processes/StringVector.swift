// SPDX-License-Identifier: Apache-2.0

/// Strings as `execve` wants them: an array of pointers, the last of which is null.
///
/// One block of memory for all of them, because one missing `free` for each string would be a leak
/// that nobody sees.
final class StringVector {
    private let bytes: UnsafeMutableRawBufferPointer
    private let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ strings: [String]) {
        let size = strings.reduce(0) { $0 + $1.utf8.count + 1 }
        bytes = .allocate(byteCount: size, alignment: 1)
        // One of the zeros stays behind each string.
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        pointers = .allocate(capacity: strings.count + 1)
        pointers.initialize(repeating: nil)
        var rest = bytes[...]
        for (index, string) in strings.enumerated() {
            let place = UnsafeMutableRawBufferPointer(rebasing: rest)
            place.copyBytes(from: string.utf8)
            pointers[index] = place.bindMemory(to: CChar.self).baseAddress
            rest = rest.dropFirst(string.utf8.count + 1)
        }
    }

    deinit {
        // Sound: the elements are trivial, so there is nothing to deinitialise.
        bytes.deallocate()
        pointers.deallocate()
    }

    /// Good while this object lives.
    var pointer: UnsafePointer<UnsafeMutablePointer<CChar>?>? {
        UnsafePointer(pointers.baseAddress)
    }

    /// The last string; nil if there is none.
    var lastString: UnsafeMutablePointer<CChar>? {
        pointers.count > 1 ? pointers[pointers.count - 2] : nil
    }
}
