// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

/// A unit file: its name and its text.
package struct UnitFile: Sendable, Hashable {
    package let name: String
    package let text: String

    /// The units of a request: the socket units, then the service unit.
    package static func all(_ request: UnitRequest) throws(ControlError) -> [UnitFile] {
        try request.check()
        var files: [UnitFile] = []
        if request.layout != .binding {
            for name in request.names {
                files.append(
                    UnitFile(name: request.socketUnit(name), text: SocketUnit.text(request, name)))
            }
        }
        files.append(UnitFile(name: request.serviceUnit, text: ServiceUnit.text(request)))
        return files
    }

    /// Writes the file; false: it has this content already.
    ///
    /// Throws if a file of other content is there, unless `replacing`. Does not make the directory.
    package func write(to directory: String, replacing: Bool) throws(ControlError) -> Bool {
        let path = directory + "/" + name
        do {
            let wanted = Array(text.utf8)
            // Every step works on the directory that is open here, wherever its path leads meanwhile.
            let place = try Directory(directory)
            if try Self.content(of: name, in: place) == wanted { return false }
            if (try? place.facts(name)) != nil, !replacing {
                throw ControlError.usage(
                    "\(path.terminalSafe) exists with other content: look at it, then give --force"
                )
            }
            let temporary = ".\(name).\(ProcessEnvironment.processID)"
            try? place.unlink(temporary)
            let file = try place.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
            try Syscall.writeAll(file.rawValue, wanted)
            try Syscall.setMode(file.rawValue, 0o644)
            try place.rename(temporary, to: name)
            return true
        } catch let error as ControlError {
            throw error
        } catch let error as Errno {
            throw Self.unwritten(path.terminalSafe, directory.terminalSafe, error)
        } catch {
            throw .usage("\(error)")
        }
    }

    /// Nil: there is no such regular file.
    private static func content(of name: String, in place: Directory) throws -> [UInt8]? {
        guard (try? place.facts(name))?.isRegularFile == true else { return nil }
        let file = try place.open(name, [.readOnly, .nonBlocking])
        return try file.withRawValue { (fd) throws(Errno) in try Syscall.readFile(fd) }
    }
}

extension UnitFile {
    /// Explains why the file could not be written.
    ///
    /// A missing directory is a mistake of the operator: systemd reads only directories that exist.
    private static func unwritten(
        _ path: String, _ directory: String, _ errno: Errno
    ) -> ControlError {
        var message = "cannot write \(path): \(errno)"
        switch errno {
        case .noSuchFileOrDirectory:
            message =
                "cannot write \(path): there is no directory \(directory); make it, for example by "
                + "`mkdir -p \(directory)`, or give another one with --output"
        case .permissionDenied, .notPermitted:
            return ControlError(
                code: "permission", message: message + "; run swapctl as root, or give --user",
                exitCode: .permission)
        default: break
        }
        return ControlError(code: "system", message: message, exitCode: .inputOutput)
    }
}

extension UnitRequest {
    /// The name of the socket unit for the listeners of a name; the first name has that of the service.
    func socketUnit(_ name: String) -> String {
        let base = layout == .instances ? service + "-front" : service
        return name == names.first ? "\(base).socket" : "\(base)-\(name).socket"
    }

    var socketUnits: String { names.map(socketUnit).joined(separator: " ") }

    var serviceUnit: String { layout == .instances ? "\(service)@.service" : "\(service).service" }

    /// The name by which swapctl knows the service; each instance is a service of its own.
    var swapctlName: String { layout == .instances ? "\(service)-%i" : service }

    var systemctl: String { isForUserManager ? "systemctl --user" : "systemctl" }
}

extension JSONValue {
    /// A unit file and, where it was written to a directory, its path.
    package static func unit(_ file: UnitFile, directory: String?) -> JSONValue {
        [
            "event": "unit", "name": .string(file.name), "text": .string(file.text),
            "path": .optional(directory.map { "\($0)/\(file.name)" }),
        ]
    }
}
