// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl

/// The program of a process that may see other files under the same paths, as in a container.
struct VisibleProgram {
    private let processID: Int32
    /// The file that /proc/PID/exe leads to, which does not depend on its path here.
    private let identity: FileIdentity?
    /// Whether the process sees this release directory under the same path: then its other paths are
    /// valid here too.
    private let seesReleases: Bool

    init(_ processID: Int32, _ site: ReleaseSite) {
        self.processID = processID
        let own = (try? site.openReleases().facts())?.identity
        let path = "/proc/\(processID)/root\(site.releaseDirectory)"
        // The process could change what the path leads to: the result is only compared.
        let (executed, seen) = site.rights.asCaller {
            (
                (try? Syscall.status("/proc/\(processID)/exe"))?.identity,
                (try? Syscall.status(path))?.identity
            )
        }
        identity = executed
        seesReleases = own != nil && own == seen
    }

    /// The paths here of the release it executes, if its own paths are not valid here.
    func releases(in files: ReleaseFiles) -> [String] {
        guard let identity, !seesReleases else { return [] }
        return files.paths(of: identity)
    }

    /// Whether its releases are known: by its paths, or by the file it executes and the switch that
    /// started it.
    func isKnown(in site: ReleaseSite) throws(ControlError) -> Bool {
        let process = site.rights.asCaller { ServerProcess(processID) }
        guard let process else { return false }
        if seesReleases { return true }
        guard let identity, !ReleaseFiles(site).paths(of: identity).isEmpty,
            let id = process.switchID
        else { return false }
        return try Journal.read(site).selections[id] != nil
    }
}

/// Every file below the release directory, by its identity.
struct ReleaseFiles {
    private var found: [FileIdentity: [String]] = [:]

    /// More than the depth of any release.
    private static let maximumDepth = 200

    init(_ site: ReleaseSite) {
        guard let releases = try? site.openReleases() else { return }
        addAll(in: releases, site.releaseDirectory, depth: 0)
    }

    func paths(of identity: FileIdentity) -> [String] { found[identity] ?? [] }

    private mutating func addAll(in directory: Directory, _ path: String, depth: Int) {
        guard depth < Self.maximumDepth else { return }
        for name in (try? directory.names()) ?? [] {
            guard let facts = try? directory.facts(name) else { continue }
            if facts.isRegularFile {
                found[facts.identity, default: []].append("\(path)/\(name)")
            }
            guard facts.isDirectory, let inside = try? directory.directory(name) else { continue }
            addAll(in: inside, "\(path)/\(name)", depth: depth + 1)
        }
    }
}
