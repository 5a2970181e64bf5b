// SPDX-License-Identifier: Apache-2.0

#if Systemd
import SuccessionSystem

/// The functions of libsystemd that are used here, looked up when they are needed.
///
/// Not called directly: the library brings seven others along, and a server that no manager started
/// would load them all before its first line. A program linked with `--as-needed` does not.
struct LibSystemd {
    typealias StringArray = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    typealias ListenFDsWithNames =
        @convention(c) (CInt, UnsafeMutablePointer<StringArray?>?) -> CInt

    let listenFDsWithNames: ListenFDsWithNames

    init() throws(ActivationError) {
        do {
            let library = try DynamicLibrary("libsystemd.so.0")
            guard let address = library.address(of: "sd_listen_fds_with_names") else {
                throw DynamicLibrary.LoadError(
                    description: "libsystemd has no sd_listen_fds_with_names")
            }
            // Sound: this is the type the header gives the function (sd_listen_fds(3)), part of a
            // library whose interface is stable.
            listenFDsWithNames = unsafeBitCast(address, to: ListenFDsWithNames.self)
        } catch {
            throw ActivationError(
                description: "a service manager passes sockets, and libsystemd is missing: \(error)"
            )
        }
    }
}
#endif
