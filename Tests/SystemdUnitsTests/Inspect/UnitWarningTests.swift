// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import SwapControl
import SystemdUnits
import Testing

@Suite struct UnitWarningTests {
    /// The properties of units/web.service as systemd 252 prints them.
    static let good = [
        "Type": "notify", "ExitType": "main", "Restart": "on-failure", "NotifyAccess": "main",
        "TimeoutStopUSec": "45s", "WatchdogUSec": "0", "MainPID": "151",
        "FileDescriptorStoreMax": "64", "NFileDescriptorStore": "1", "OOMPolicy": "continue",
        "ExecReload":
            "{ path=/b/swapctl ; argv[]=/b/swapctl upgrade --detach web ; ignore_errors=no }",
        "ControlGroup": "/system.slice/web.service", "Delegate": "no", "NonBlocking": "yes",
        "RuntimeDirectoryPreserve": "restart", "RuntimeDirectory": "web",
        "KillMode": "control-group", "SendSIGKILL": "yes", "Id": "web.service",
        "Requires": "web.socket system.slice sysinit.target", "TriggeredBy": "web.socket",
        "ActiveState": "active", "SubState": "running", "StartLimitIntervalUSec": "0",
    ]

    @Test func warnings_whenUnitIsAsOurs_areNone() throws {
        #expect(UnitWarning.all(try facts()) == [])
    }

    @Test(arguments: [
        ("Type", "exec", "type", "Type=notify"),
        ("Type", "notify-reload", "type", "ExecReload=swapctl upgrade --detach web"),
        ("NotifyAccess", "all", "notifyaccess", "NotifyAccess=main"),
        ("NotifyAccess", "none", "notifyaccess", "NotifyAccess=main"),
        ("ExitType", "cgroup", "exittype", "ExitType="),
        ("Delegate", "yes", "delegate", "Delegate="),
        ("MainPID", "150", "mainpid", "upgrade once more"),
        ("MainPID", "0", "mainpid", "upgrade once more"),
        ("KillMode", "mixed", "killmode", "KillMode=control-group"),
        ("KillMode", "process", "killmode", "KillMode=control-group"),
        ("SendSIGKILL", "no", "sendsigkill", "SendSIGKILL="),
        ("OOMPolicy", "stop", "oompolicy", "OOMPolicy=continue"),
        ("ExecReload", "", "execreload", "ExecReload=swapctl upgrade --detach web"),
        ("ExecReload", "{ argv[]=/b/swapctl upgrade web ; }", "execreload", "--detach"),
        ("Restart", "no", "restart", "Restart=on-failure"),
        ("StartLimitIntervalUSec", "10s", "startlimit", "StartLimitIntervalSec=0"),
        ("RuntimeDirectoryPreserve", "no", "runtimedirectorypreserve", "Preserve=restart"),
        ("NonBlocking", "no", "nonblocking", "NonBlocking=yes"),
        ("Requires", "sysinit.target", "requires", "Requires=web.socket"),
        ("NFileDescriptorStore", "64", "filedescriptorstore", "FileDescriptorStoreMax="),
    ])
    func warnings_whenOneLineHurts_nameItAndTheChange(
        key: String, value: String, code: String, remedy: String
    ) throws {
        let found = UnitWarning.all(try facts([key: value]))
        #expect(found.map(\.code) == [code])
        #expect(found.first?.remedy.contains(remedy) == true)
    }

    @Test(arguments: good.keys.sorted())
    func warnings_whenAPropertyIsNotKnown_doNotGuess(key: String) throws {
        let found = UnitWarning.all(try facts([key: nil])).map(\.code)
        // systemd does not print an empty list of commands; without Requires= a restart leaves the socket unit down.
        let expected = ["ExecReload": ["execreload"], "Requires": ["requires"]][key] ?? []
        #expect(found == expected)
    }

    @Test func mainPID_whileAnUpgradeRuns_mayDiffer() throws {
        let facts = try facts(
            ["MainPID": "150"],
            change: {
                $0.upgrade = .init(successor: 170, elapsed: .zero, requestedBy: nil)
            })
        #expect(UnitWarning.all(facts) == [])
    }

    @Test func alien_whenParentIsAnotherGeneration_isSaid() throws {
        var facts = try facts()
        facts.parents = [151: 149]
        #expect(UnitWarning.all(facts).map(\.code) == ["alien"])
        facts.parents = [151: 1]
        #expect(UnitWarning.all(facts) == [])
        facts.parents = [151: 0]
        #expect(UnitWarning.all(facts) == [])
    }

    @Test func alien_whenUsersManager_mayHaveAnyNumber() throws {
        var facts = try facts()
        facts.unit = UnitReference(name: "web.service", isOfUser: true)
        facts.parents = [151: 900]
        #expect(UnitWarning.all(facts) == [])
        facts.parents = [151: 151]
        #expect(UnitWarning.all(facts).map(\.code) == ["alien"])
        #expect(UnitWarning.all(facts)[0].remedy.contains("systemctl --user daemon-reload"))
    }

    @Test func controlGroup_whenGenerationIsOutside_isSaid() throws {
        var facts = try facts()
        facts.controlGroups = [151: "/user.slice/session-1.scope"]
        #expect(UnitWarning.all(facts).map(\.code) == ["controlgroup"])
        facts.controlGroups = [151: "/system.slice/web.service/worker"]
        #expect(UnitWarning.all(facts) == [])
    }

    @Test func timeoutStop_whenShorterThanADrain_isSaid() throws {
        let draining = { (status: inout Wire.Status) in
            status.state = .draining
            status.remaining = .seconds(60)
        }
        #expect(UnitWarning.all(try facts(change: draining)).map(\.code) == ["timeoutstop"])
        let patient = try facts(["TimeoutStopUSec": "1min 30s"], change: draining)
        #expect(UnitWarning.all(patient) == [])
        #expect(UnitWarning.all(try facts(["TimeoutStopUSec": "infinity"], change: draining)) == [])
    }

    @Test func runtimeDirectory_whenAListenerLiesInIt_isSaid() throws {
        let inside = ["unix:/run/web/a.sock", "activation", "5", "http"]
        #expect(UnitWarning.all(try facts(listener: inside)).map(\.code) == ["runtimedirectory"])
        let beside = ["unix:/run/web.sock", "activation", "5", "http"]
        #expect(UnitWarning.all(try facts(listener: beside)) == [])
    }

    @Test func store_whenServerBindsAndNobodyKeeps_isSaid() throws {
        let bound = ["tcp:*:8080", "bound", "5", "http"]
        let none = ["FileDescriptorStoreMax": "0"]
        let alone = none.merging(["TriggeredBy": "", "Requires": ""]) { $1 }
        #expect(
            UnitWarning.all(try facts(alone, listener: bound)).map(\.code) == [
                "filedescriptorstore"
            ])
        #expect(UnitWarning.all(try facts(none)) == [])
    }

    @Test func startLimit_whenNoSocketUnit_speaksOfTheServiceAlone() throws {
        let found = UnitWarning.all(
            try facts(["StartLimitIntervalUSec": "10s", "TriggeredBy": "", "Requires": ""]))
        #expect(found.map(\.code) == ["startlimit"])
        #expect(!found[0].harm.contains("socket"))
    }

    @Test func nonBlocking_whenServerBinds_doesNotMatter() throws {
        let bound = ["tcp:*:8080", "bound", "5", "http"]
        #expect(UnitWarning.all(try facts(["NonBlocking": "no"], listener: bound)) == [])
    }

    // MARK: -

    private func facts(
        _ changes: [String: String?] = [:], change: (inout Wire.Status) -> Void = { _ in },
        listener: [String] = ["tcp:*:8080", "activation", "4096", "http"]
    ) throws -> UnitFacts {
        var values = Self.good
        for (key, value) in changes { values[key] = value }
        var status = Wire.Status(generation: 2, processID: 151, state: .serving)
        change(&status)
        status.listeners = [try #require(ManifestEntry(fields: listener))]
        status.listenerCount = 1
        return UnitFacts(
            unit: UnitReference(name: "web.service", isOfUser: false),
            properties: UnitProperties(values.map { "\($0)=\($1)" }.joined(separator: "\n")),
            service: "web", living: [GenerationStatus(status)])
    }
}
