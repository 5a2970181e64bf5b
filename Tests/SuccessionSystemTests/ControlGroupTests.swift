// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import Testing

@Suite struct ControlGroupTests {
    @Test(arguments: [
        ("0::/system.slice/web.service\n", "/system.slice/web.service"),
        ("1:name=systemd:/system.slice/web.service\n0::/\n", "/system.slice/web.service"),
        ("12:cpu,cpuacct:/elsewhere\n1:name=systemd:/a:b.service\n", "/a:b.service"),
        ("0::/\n", "/"),
    ])
    func path_ofEachKindOfHierarchy_isTheManagers(text: String, path: String) {
        #expect(ControlGroup(text: text).path == path)
    }

    @Test(arguments: ["", "0:/x\n", "3:cpu:/system.slice/web.service\n", "nonsense"])
    func group_withoutAManager_hasNoPathAndNoUnit(text: String) {
        #expect(ControlGroup(text: text).path == nil)
        #expect(ControlGroup(text: text).unit == nil)
    }

    /// Lines of a hybrid host; the first is moved when processor time is limited.
    private func hybrid(cpu: String = "/", systemd: String = "/system.slice/web.service")
        -> ControlGroup
    {
        ControlGroup(
            text: "4:cpu,cpuacct:\(cpu)\n1:name=systemd:\(systemd)\n0::\(systemd)\n")
    }

    @Test func unit_afterAMoveInAController_isTheSame() {
        #expect(hybrid().isOfSameUnit(as: hybrid(cpu: "/system.slice/web.service")))
        #expect(!hybrid().isOfSameUnit(as: hybrid(systemd: "/system.slice/other.service")))
        #expect(!hybrid().isOfSameUnit(as: hybrid(systemd: "/system.slice")))
    }

    @Test func unit_withoutASystemdHierarchy_isComparedWhole() {
        #expect(ControlGroup(text: "2:cpu:/a\n").isOfSameUnit(as: ControlGroup(text: "2:cpu:/a\n")))
        #expect(
            !ControlGroup(text: "2:cpu:/a\n").isOfSameUnit(as: ControlGroup(text: "2:cpu:/b\n")))
    }

    @Test func unit_belowAUsersManager_isTheUsers() throws {
        let path = "/user.slice/user-1.slice/user@1.service/app.slice/web.service"
        let unit = try #require(ControlGroup(text: "0::\(path)\n").unit)
        #expect(unit.name == "web.service")
        #expect(unit.isOfUser)
    }
}
