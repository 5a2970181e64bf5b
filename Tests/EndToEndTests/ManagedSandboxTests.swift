// SPDX-License-Identifier: Apache-2.0

import Foundation
import SuccessionSystem
import Testing

/// Under a manager, which this process plays: the successor is its child, and of the same unit.
@Suite(.serialized) struct ManagedSandboxTests {
    /// Directories of mounted hierarchies: the one that is systemd's, and another one.
    private struct Hierarchies {
        let manager: String
        let controller: String

        /// Nil: this machine has no such pair, or nobody may make groups there; the reason is printed.
        init?() {
            var manager: String?
            var controller: String?
            let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
            for line in mounts.split(separator: "\n") {
                let fields = line.split(separator: " ").map(String.init)
                guard fields.count > 3, fields[2].hasPrefix("cgroup") else { continue }
                let options = fields[3].split(separator: ",")
                if options.contains("name=systemd") {
                    manager = fields[1]
                } else if fields[2] == "cgroup2" {
                    manager = manager ?? fields[1]
                } else if options.contains("pids") || options.contains("freezer") {
                    controller = fields[1]
                }
            }
            guard ProcessEnvironment.effectiveUserID == 0, let manager, let controller,
                access(manager, W_OK) == 0, access(controller, W_OK) == 0
            else {
                print("skipped: no cgroup v1 controller beside systemd's hierarchy, or not root")
                return nil
            }
            self.manager = manager
            self.controller = controller
        }

        static let isPossible = Hierarchies() != nil
    }

    /// A manager moves a running service between groups of a controller's own hierarchy (cgroup v1):
    /// `systemctl set-property CPUQuota=` on a hybrid host.
    @Test(.enabled(if: Hierarchies.isPossible))
    func upgrade_afterAMoveInAController_works() throws {
        let hierarchies = try #require(Hierarchies())
        let shut = try ShutService(Shut())
        let unit = hierarchies.manager + "/succession-" + shut.service.name
        let group = hierarchies.controller + "/succession-" + shut.service.name
        for path in [unit, group] { #expect(mkdir(path, 0o755) == 0) }
        defer { for path in [unit, group] { #expect(rmdir(path) == 0) } }
        let manager = try NotifySocket(in: shut.service.directory)
        let inUnit = try ShutService(Shut("--group", unit), of: shut.service)
        try inUnit.start(environment: ["NOTIFY_SOCKET": manager.path])
        _ = try manager.message(with: "READY=1")
        try Data("\(inUnit.first)".utf8).write(to: URL(filePath: group + "/cgroup.procs"))

        try upgrade(inUnit, manager)
    }

    /// A program that its user may execute and not read, where /proc shows a user only what may be read:
    /// the predecessor knows that it lives, and whose child it is.
    @Test(.enabled(if: SandboxRow.unseen.shut.isPossible))
    func upgrade_whereNothingShowsTheSuccessor_introducesIt() throws {
        let shut = try ShutService(SandboxRow.unseen.shut)
        try shut.hideProgram()
        let manager = try NotifySocket(in: shut.service.directory)
        #expect(chmod(manager.path, 0o777) == 0)
        try shut.start(environment: ["NOTIFY_SOCKET": manager.path])
        _ = try manager.message(with: "READY=1")
        try upgrade(shut, manager)
    }

    /// The successor is a child of this process, which plays the manager.
    private func upgrade(_ shut: ShutService, _ manager: NotifySocket) throws {
        let swapctl = try shut.service.startSwapctl(
            ["upgrade", shut.service.name, "--json", "--", shut.program, "serve", "--service"]
                + [shut.service.name] + shut.listen)
        let introduction = Result { try manager.message(with: "BARRIER=1", within: 10) }
        let status = try swapctl.waitForExit()
        #expect(
            status == .exited(0), "\(swapctl.standardOutput) \(introduction) \(shut.log)")
        try shut.awaitEnd(shut.first)
        let successor = try EchoClient(port: shut.port).greet()
        #expect(shut.servers() == [successor])
        let ready = try manager.message(with: "READY=1")
        #expect(ready.contains { $0.hasPrefix("STATUS=generation 2 serves") })
        let handle = try ProcessHandle.open(successor)
        #expect(try shut.service.swapctl(["stop", shut.service.name]).status == .exited(0))
        #expect(handle.waitForExit(deadline: Syscall.monotonicNanoseconds() + 10_000_000_000))
        #expect(try handle.reap() == .exited(0))
    }
}
