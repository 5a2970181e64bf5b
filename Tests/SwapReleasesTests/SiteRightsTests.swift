// SPDX-License-Identifier: Apache-2.0

import SwapControl
import SwapReleases
import Testing

/// The decision whose rights swapctl takes in a site; it depends only on owners and permissions.
@Suite struct SiteRightsTests {
    private typealias Place = SiteRights.Place

    private func place(_ path: String, _ user: UInt32 = 0, _ mode: UInt32 = 0o755) -> Place {
        Place(path: path, userID: user, mode: mode)
    }

    private func owner(
        for user: UInt32 = 0, _ site: Place, above: [Place] = [], inside: [Place] = []
    ) throws -> UInt32? {
        try SiteRights.owner(
            for: user, site: site, above: [place("/"), place("/srv")] + above, inside: inside)
    }

    private func problem(
        _ site: Place, above: [Place] = [], inside: [Place] = []
    ) -> String? {
        let error = #expect(throws: ControlError.self) {
            try owner(site, above: above, inside: inside)
        }
        #expect(error?.exitCode == .permission)
        return error?.message
    }

    @Test func root_whereAllIsRoots_worksAsRoot() throws {
        let inside = ["release", ".succession", "current.conf"].map { place("/srv/app/\($0)") }
        #expect(try owner(place("/srv/app"), inside: inside) == nil)
    }

    /// In a sticky directory such as /tmp nobody else can remove a file of root.
    @Test func root_belowAStickyDirectory_worksAsRoot() throws {
        #expect(try owner(place("/tmp/app"), above: [place("/tmp", 0, 0o1777)]) == nil)
    }

    @Test(arguments: [0o775, 0o757, 0o1777] as [UInt32])
    func root_whereOthersMayWrite_doesNothing(mode: UInt32) {
        #expect(problem(place("/srv/app", 0, mode))?.contains("chmod go-w /srv/app") == true)
        let inside = [place("/srv/app/.succession", 0, mode)]
        #expect(problem(place("/srv/app"), inside: inside)?.contains(".succession") == true)
    }

    @Test func root_belowADirectoryOfOthers_doesNothing() {
        let above = [place("/srv/alice", 1_001)]
        #expect(problem(place("/srv/alice/app"), above: above)?.contains("/srv/alice ") == true)
        let writable = [place("/srv/all", 0, 0o777)]
        #expect(problem(place("/srv/all/app"), above: writable)?.contains("/srv/all") == true)
    }

    @Test(arguments: ["release", ".succession", "current.conf"])
    func root_whereAPartIsOfOthers_doesNothing(name: String) {
        let inside = [place("/srv/app/\(name)", 1_001)]
        #expect(problem(place("/srv/app"), inside: inside)?.contains("chown") == true)
    }

    @Test func root_inASiteOfOthers_takesTheirRights() throws {
        let inside = ["release", ".succession"].map { place("/srv/app/\($0)", 1_001, 0o775) }
        #expect(try owner(place("/srv/app", 1_001, 0o775), inside: inside) == 1_001)
    }

    /// Another user could move the site away, and put a directory into its place.
    @Test(arguments: [0o777, 0o775, 0o2775] as [UInt32], [0, 1_001] as [UInt32])
    func root_inASiteOfOthersBelowADirectoryOfAll_doesNothing(mode: UInt32, user: UInt32) {
        let above = [place("/srv/all", user, mode)]
        let message = problem(place("/srv/all/app", 1_001), above: above)
        #expect(message?.contains("chmod go-w /srv/all`") == true, "\(message ?? "")")
    }

    @Test func root_inASiteOfOthersBelowAStickyDirectory_takesTheirRights() throws {
        let above = [place("/tmp", 0, 0o1777)]
        #expect(try owner(place("/tmp/app", 1_001), above: above) == 1_001)
    }

    /// An older swapctl worked in the site of another user as root, and left files of root.
    @Test func root_inASiteOfOthersWithPartsOfItsOwn_saysWhatToRun() {
        let inside = [place("/srv/app/.succession", 0)]
        let message = problem(place("/srv/app", 1_001), inside: inside)
        #expect(message?.contains("chown -Rh uid 1001: /srv/app/.succession") == true)
    }

    /// A link of one user leads into the site of another: the rights of neither are right.
    @Test func root_ledByOneToAnother_doesNothing() {
        let link = Place(path: "/home/bob/app", userID: 1_002, mode: 0o777, isLink: true)
        #expect(problem(place("/srv/app", 1_001), above: [link])?.contains("/home/bob/app") == true)
        #expect(problem(place("/srv/app"), above: [link])?.contains("/home/bob/app") == true)
    }

    @Test func others_workAsThemselves() throws {
        #expect(try owner(for: 1_001, place("/srv/app", 1_002, 0o777)) == nil)
    }

    @Test func environment_ofAnotherUser_hasNothingOfRoot() {
        let kept = SiteRights.environment(
            [
                "PATH=/bin", "HOME=/root", "USER=root", "SECRET=x", "LD_PRELOAD=/x", "LC_ALL=C",
                "SUCCESSION_RUNTIME_DIRECTORY=/run/web", "XDG_RUNTIME_DIR=/run/user/0",
            ], of: 1_001, home: "/home/alice", name: "alice")
        #expect(
            kept.sorted() == [
                "HOME=/home/alice", "LC_ALL=C", "LOGNAME=alice", "PATH=/bin",
                "SUCCESSION_RUNTIME_DIRECTORY=/run/web", "USER=alice",
            ])
    }
}
