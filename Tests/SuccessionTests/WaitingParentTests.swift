// SPDX-License-Identifier: Apache-2.0

import Succession
import Testing

/// Who waits for one process, and who has other things to do.
@Suite struct WaitingParentTests {
    private func ancestor(
        _ pid: Int32, _ name: String, _ arguments: [String] = [], oldest: Bool = true,
        only: Bool = true
    ) -> WaitingParent.Ancestor {
        WaitingParent.Ancestor(
            processID: pid, name: name, arguments: arguments.isEmpty ? [name] : arguments,
            isOldestChildOurs: oldest, isOnlyChildOurs: only)
    }

    @Test(arguments: [
        ["sh", "-c", "web & wait"], ["/bin/bash", "-ec", "web"], ["bash", "/entrypoint.sh"],
    ])
    func shell_withSomethingToRun_waits(arguments: [String]) {
        let parent = WaitingParent(above: [ancestor(1, "bash", arguments)])
        #expect(parent?.processID == 1)
    }

    @Test func script_byItsOwnName_waits() {
        let above = [ancestor(1, "entrypoint.sh", ["/bin/sh", "/entrypoint.sh"])]
        #expect(WaitingParent(above: above)?.name == "entrypoint.sh")
    }

    @Test(arguments: [["bash"], ["-bash"], ["sh", "-i"], ["bash", "-l"], ["bash", "--norc"]])
    func shell_ofAPerson_doesNot(arguments: [String]) {
        #expect(WaitingParent(above: [ancestor(1, "bash", arguments)]) == nil)
    }

    @Test func shell_withOtherPrograms_doesNot() {
        let above = [ancestor(1, "bash", ["bash", "demo.sh"], only: false)]
        #expect(WaitingParent(above: above) == nil)
    }

    @Test func tini_waitsForItsFirstChild_andForNoOrphan() {
        #expect(WaitingParent(above: [ancestor(1, "tini", oldest: true)])?.name == "tini")
        #expect(WaitingParent(above: [ancestor(1, "tini", oldest: false)]) == nil)
    }

    @Test func chain_ofWaiters_leadsToProcessOne() {
        let shell = ancestor(7, "sh", ["sh", "-c", "web; true"])
        #expect(WaitingParent(above: [shell, ancestor(1, "tini")])?.processID == 1)
        #expect(WaitingParent(above: [shell, ancestor(5, "runsv")])?.processID == 5)
        #expect(WaitingParent(above: [shell, ancestor(5, "sshd"), ancestor(1, "systemd")]) == nil)
        #expect(WaitingParent(above: [shell, ancestor(1, "systemd")]) == nil)
        // On a machine somebody waits above it, but not as process 1.
        #expect(WaitingParent(above: [shell]) == nil)
    }

    @Test(arguments: ["runsv", "s6-supervise", "supervise", "supervisord"])
    func supervisor_startsWhatHasLeftAgain(name: String) {
        #expect(WaitingParent(above: [ancestor(400, name, oldest: false, only: false)]) != nil)
    }

    @Test func supervisor_thatIsAScript_isKnownByItsName() {
        let python = ancestor(400, "python3", ["python3", "-W", "ignore", "/usr/bin/supervisord"])
        #expect(WaitingParent(above: [python])?.name == "supervisord")
        #expect(WaitingParent(above: [ancestor(400, "python3", ["python3", "/x/run.py"])]) == nil)
    }

    @Test(arguments: ["systemd", "init", "xctest", "python3", "make"])
    func others_areNotKnownToWait(name: String) {
        #expect(WaitingParent(above: [ancestor(1, name)]) == nil)
        #expect(WaitingParent(above: [ancestor(300, name)]) == nil)
    }
}
