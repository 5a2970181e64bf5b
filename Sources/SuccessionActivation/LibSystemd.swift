// SPDX-License-Identifier: Apache-2.0

#if Systemd
import SuccessionSystem

/// The functions of libsystemd that are used here, looked up when they are needed.
///
/// Not called directly: the library brings seven others along, and a server that no manager started
/// would load them all before its first line. A program linked with `--as-needed` does not.
struct LibSystemd: Sendable {
    typealias StringArray = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    typealias ListenFDsWithNames =
        @convention(c) (CInt, UnsafeMutablePointer<StringArray?>?) -> CInt
    typealias NotifyWithFDs =
        @convention(c) (
            Int32, CInt, UnsafePointer<CChar>?, UnsafePointer<CInt>?, CUnsignedInt
        ) -> CInt
    typealias NotifyBarrier = @convention(c) (CInt, UInt64) -> CInt

    let listenFDsWithNames: ListenFDsWithNames
    let notifyWithFDs: NotifyWithFDs
    /// Nil before 246.
    let notifyBarrier: NotifyBarrier?

    /// The library, loaded by whoever asks first; it stays loaded.
    static let shared = Result { () throws(ActivationError) in try LibSystemd() }

    private init() throws(ActivationError) {
        do {
            let library = try DynamicLibrary("libsystemd.so.0")
            func required(_ name: String) throws -> UnsafeMutableRawPointer {
                if let address = library.address(of: name) { return address }
                throw DynamicLibrary.LoadError(description: "libsystemd has no \(name)")
            }
            // Sound: these are the types the header gives the functions (sd_listen_fds(3),
            // sd_notify(3)), part of a library whose interface is stable.
            listenFDsWithNames = unsafeBitCast(
                try required("sd_listen_fds_with_names"), to: ListenFDsWithNames.self)
            notifyWithFDs = unsafeBitCast(
                try required("sd_pid_notify_with_fds"), to: NotifyWithFDs.self)
            notifyBarrier = library.address(of: "sd_notify_barrier").map {
                unsafeBitCast($0, to: NotifyBarrier.self)
            }
        } catch {
            throw ActivationError(
                .noLibrary,
                "a service manager started this program, and libsystemd is missing: \(error)")
        }
    }
}
#endif
