// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl

/// The program of a process that may see other files under the same paths, in a container for example.
struct VisibleProgram {
    private let processID: Int32
    /// The link leads to the file itself, whatever its path leads to from here.
    private let identity: FileIdentity?
    /// Whether the release directory is the same for it: then its paths mean what they mean here.
    private let seesReleases: Bool

    init(_ processID: Int32, _ site: ReleaseSite) {
        self.processID = processID
        identity = (try? Syscall.status("/proc/\(processID)/exe"))?.identity
        let own = (try? Syscall.status(site.releaseDirectory))?.identity
        let path = "/proc/\(processID)/root\(site.releaseDirectory)"
        seesReleases = own != nil && own == (try? Syscall.status(path))?.identity
    }

    /// The releases it executes, if its paths mean something else here.
    func elsewhere(_ files: ReleaseFiles) -> [String] {
        guard let identity, !seesReleases else { return [] }
        return files.paths(of: identity)
    }

    /// Whether it can be told which releases it needs: by its paths, or by the file it executes and
    /// the switch that started it.
    func isTold(in site: ReleaseSite) throws(ControlError) -> Bool {
        guard let process = ServerProcess(processID) else { return false }
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

    init(_ site: ReleaseSite) {
        add(site.releaseDirectory)
    }

    func paths(of identity: FileIdentity) -> [String] { found[identity] ?? [] }

    private mutating func add(_ path: String) {
        guard let facts = try? Syscall.linkStatus(path) else { return }
        if facts.isRegularFile { found[facts.identity, default: []].append(path) }
        guard facts.isDirectory else { return }
        for name in (try? Syscall.listDirectory(path)) ?? [] { add(path + "/" + name) }
    }
}
