// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A shared library that is loaded when it is needed, and stays loaded.
package struct DynamicLibrary {
    // The handle is never closed: functions taken from the library may be called at any time.
    private let handle: UnsafeMutableRawPointer

    /// The reason in the linker's words.
    package struct LoadError: Error, Sendable, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// Loads a library by the name under which the linker knows it.
    ///
    /// The corresponding C function is `dlopen`.
    package init(_ name: String) throws(LoadError) {
        guard let handle = dlopen(name, RTLD_NOW) else {
            throw LoadError(description: dlerror().map { String(cString: $0) } ?? name)
        }
        self.handle = handle
    }

    /// The address of a function; nil if this version of the library has none of that name.
    ///
    /// The corresponding C function is `dlsym`.
    package func address(of function: String) -> UnsafeMutableRawPointer? {
        dlsym(handle, function)
    }
}
