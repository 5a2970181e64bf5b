// SPDX-License-Identifier: Apache-2.0

/// Strings as `execve` wants them: an array of pointers, the last of which is null.
///
/// One block of memory for all of them, because one missing `free` for each string would be a leak
/// that nobody sees.
final class StringVector {
    private let bytes: UnsafeMutableBufferPointer<CChar>
    private let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ strings: [String]) {
        let flat = strings.flatMap { Array($0.utf8) + [0] }.map(CChar.init(bitPattern:))
        bytes = .allocate(capacity: flat.count)
        _ = bytes.initialize(fromContentsOf: flat)
        pointers = .allocate(capacity: strings.count + 1)
        pointers.initialize(repeating: nil)
        var offset = 0
        for (index, string) in strings.enumerated() {
            pointers[index] = bytes.baseAddress?.advanced(by: offset)
            offset += string.utf8.count + 1
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
