// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The files in `.succession` that hold one JSON object and that only swapctl writes.
enum StateFile {
    /// Reads a file, with its owner; nil: there is none.
    static func read(
        _ site: ReleaseSite, _ name: String
    ) throws(ControlError) -> (node: JSONNode, owner: UInt32)? {
        let path = site.stateDirectory + "/" + name
        let content = try attempt("cannot read \(path)") {
            () throws(Errno) -> (bytes: [UInt8], owner: UInt32)? in
            do throws(Errno) {
                let file = try DurableFile.openRegular(site.openState(), name, .readOnly)
                return try file.withRawValue { (fd) throws(Errno) in
                    (try Syscall.readFile(fd), try Syscall.status(of: fd).userID)
                }
            } catch {
                if error == .noSuchFileOrDirectory { return nil }
                throw error
            }
        }
        guard let content else { return nil }
        do {
            return (try JSONParser.parse(content.bytes), content.owner)
        } catch {
            throw .configuration(
                "\(path):\(error.place): \(error.reason); only swapctl writes this file: remove it")
        }
    }

    /// The error for a file that is JSON, but lacks what swapctl writes into it.
    static func malformed(_ site: ReleaseSite, _ name: String) -> ControlError {
        .configuration(
            "\(site.stateDirectory)/\(name) is not as swapctl writes it; remove it")
    }

    static func write(
        _ site: ReleaseSite, _ name: String, _ value: JSONValue
    ) throws(ControlError) {
        try attempt("cannot write \(site.stateDirectory)/\(name)") { () throws(Errno) in
            try DurableFile.replace(
                site.openState(), name, Array((JSONLine.text(value) + "\n").utf8))
        }
    }
}
