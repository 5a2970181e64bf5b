// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
package import SwapControl
import SystemPackage

extension ReleaseSite {
    /// Finds the site: at `current`, else at `SUCCESSION_CURRENT`, else above the program of the
    /// serving generation, else in the working directory.
    ///
    /// `current` is the path of `current.conf`, which need not exist yet, or of its directory. The
    /// prefix of the links is `name`, else the recorded one, else the name of the directory.
    package static func locate(
        current: String?, name: String? = nil, service: Service? = nil
    ) throws(ControlError) -> ReleaseSite {
        let path = try Path.absolute(currentPath(current, service))
        let facts = try? Syscall.status(path)
        let isDirectory = facts?.isDirectory == true
        let parent = isDirectory ? path : Path.parent(path)
        let currentName = isDirectory ? defaultName : Path.name(path)
        try checkExists(parent, facts == nil ? path : nil)
        let (root, rights) = try open(parent, currentName)
        let site = ReleaseSite(
            root, rights, currentName: currentName, name: name ?? Path.name(root.path))
        guard isValidName(site.name) else {
            throw .wrongUsage(
                "'\(site.name)' cannot begin the name of a link; give --name with letters, digits, "
                    + "- and _")
        }
        guard name == nil, let recorded = try recordedName(site) else { return site }
        return ReleaseSite(root, rights, currentName: currentName, name: recorded)
    }

    /// The prefix of the links in the record of what serves; nil: there is no record yet.
    private static func recordedName(_ site: ReleaseSite) throws(ControlError) -> String? {
        guard let file = try StateFile.read(site, servingName) else { return nil }
        guard let name = file.node["name"]?.string, isValidName(name) else {
            throw StateFile.malformed(site, servingName)
        }
        return name
    }

    static let defaultName = "current.conf"

    /// Throws if the directory does not exist.
    ///
    /// A path without a dot is taken for a directory: it must not become a file in the directory
    /// above.
    private static func checkExists(
        _ directory: String, _ missing: String?
    ) throws(ControlError) {
        let isFile = missing.map { Path.name($0).contains(".") } ?? true
        let path = isFile ? directory : missing ?? directory
        do {
            _ = try Syscall.status(path)
        } catch {
            guard error == .noSuchFileOrDirectory else { return }
            throw .wrongUsage(
                "there is no directory \(path): make it, for example by `mkdir -p \(path)`, or give "
                    + "the one of the releases with --current")
        }
    }

    private static func currentPath(
        _ given: String?, _ service: Service?
    ) throws(ControlError) -> String {
        if let given {
            if given.isEmpty {
                throw .wrongUsage("--current is empty; give the path of current.conf")
            }
            return given
        }
        if let variable = ProcessEnvironment.value("SUCCESSION_CURRENT"), !variable.isEmpty {
            return variable
        }
        if let service, let found = ofServing(service) { return found }
        // A new site has no current.conf yet.
        for name in [defaultName, "release", ".succession"]
        where (try? Syscall.linkStatus(name)) != nil { return defaultName }
        throw .wrongUsage(
            "no \(defaultName) and no release directory here, and none above the program that "
                + "serves; give the directory of the releases with --current DIRECTORY, or set "
                + "SUCCESSION_CURRENT")
    }

    /// The path of `current.conf` in the site whose release directory holds the serving program.
    package static func ofServing(_ service: Service) -> String? {
        guard let status = try? ControlClient(service).servingStatus(timeout: .seconds(1)),
            let pid = status.visibleProcessID,
            let program = try? Syscall.readLink("/proc/\(pid)/exe")
        else { return nil }
        var directory = Path.parent(program)
        while directory != "/", directory != "." {
            if Path.name(directory) == "release" {
                let path = Path.parent(directory) + "/" + defaultName
                // The server may be in another mount namespace, where this path is another directory.
                guard let there = try? Syscall.status("/proc/\(pid)/root\(directory)"),
                    let here = try? Syscall.status(directory), there.identity == here.identity
                else { return nil }
                return (try? Syscall.linkStatus(path)) == nil ? nil : path
            }
            directory = Path.parent(directory)
        }
        return nil
    }
}
