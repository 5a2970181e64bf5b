// SPDX-License-Identifier: Apache-2.0

#if Systemd
import SuccessionSystem

/// The function of libsystemd that is used here, looked up when it is needed.
///
/// Not called directly: the library brings seven others along, and a server that no manager started
/// would load them all before its first line. A program linked with `--as-needed` does not.
struct LibSystemd: Sendable {
    typealias StringArray = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    typealias ListenFDsWithNames =
        @convention(c) (CInt, UnsafeMutablePointer<StringArray?>?) -> CInt

    let listenFDsWithNames: ListenFDsWithNames

    /// The library, loaded when it is asked for first; it stays loaded.
    static let shared = Result { () throws(ActivationError) in try LibSystemd() }

    private init() throws(ActivationError) {
        do {
            let library = try DynamicLibrary("libsystemd.so.0")
            func required(_ name: String) throws -> UnsafeMutableRawPointer {
                if let address = library.address(of: name) { return address }
                throw DynamicLibrary.LoadError(description: "libsystemd has no \(name)")
            }
            // Sound: this is the type the header gives the function (sd_listen_fds(3)), part of a
            // library whose interface is stable.
            listenFDsWithNames = unsafeBitCast(
                try required("sd_listen_fds_with_names"), to: ListenFDsWithNames.self)
        } catch {
            throw ActivationError(
                .noLibrary,
                "a service manager started this program, and libsystemd is missing: \(error)")
        }
    }
}
#endif
