// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SwapControl
import SystemPackage

/// The content of `current.conf`: an object whose keys `X.file` each name a file; its other keys are
/// kept and ignored.
struct CurrentFile: Sendable {
    /// In bytes.
    private static let maximumSize = 1 << 16

    /// One `X.file`.
    struct Entry: Sendable, Hashable {
        /// `bin` for `bin.file`.
        var key: String
        /// The value as it is in the file.
        var value: String
        /// The value with `~` expanded.
        var path: String
        var place: JSONPlace
    }

    let site: ReleaseSite
    let text: [UInt8]
    let root: JSONNode
    let entries: [Entry]

    var selection: SelectedFiles {
        SelectedFiles(Dictionary(entries.map { ($0.key, $0.path) }) { $1 })
    }

    /// Reads the file; nil if there is none.
    static func read(_ site: ReleaseSite) throws(ControlError) -> CurrentFile? {
        guard let text = try readText(site) else { return nil }
        return try CurrentFile(site, text)
    }

    /// The bytes of the file, valid or not; nil if there is none.
    static func readText(_ site: ReleaseSite) throws(ControlError) -> [UInt8]? {
        let path = site.currentPath
        let chain: LinkChain
        do {
            chain = try site.follow(site.currentName)
        } catch {
            guard case .leadsOut(let link, let target) = error else {
                return try explain(error.errno, site)
            }
            throw .leadsOut(path, link: link, target: target, of: site)
        }
        if (try? chain.facts())?.isDirectory == true {
            throw .configuration("\(path) is a directory: it must be a file")
        }
        try site.checkTrusted(chain)
        do throws(Errno) {
            guard try chain.facts().isRegularFile else { throw .invalidArgument }
            return try ReleaseSite.read(chain, limit: maximumSize)
        } catch {
            return try explain(error, site)
        }
    }

    /// Throws the reason why the file cannot be read; nil if there is no file.
    private static func explain(
        _ error: Errno, _ site: ReleaseSite
    ) throws(ControlError) -> [UInt8]? {
        let path = site.currentPath
        switch error {
        case .noSuchFileOrDirectory:
            guard (try? site.root.facts(site.currentName)) != nil else { return nil }
            throw .configuration("\(path) is a link that leads nowhere")
        case .tooManySymbolicLinkLevels:
            throw .configuration("\(path): its links lead in a circle")
        case .fileTooLarge: throw .configuration("\(path) has more than \(maximumSize) bytes")
        case .invalidArgument: throw .configuration("\(path) is not a regular file")
        default: throw .file("cannot read \(path)", error)
        }
    }

    /// Parses the text of the file.
    init(_ site: ReleaseSite, _ text: [UInt8]) throws(ControlError) {
        self.site = site
        self.text = text
        let path = site.currentPath
        do {
            root = try JSONParser.parse(text)
        } catch {
            throw .configuration("\(path):\(error.place): \(error.reason)")
        }
        guard let members = root.members else {
            throw .configuration("\(path):1:1: the file must be an object, and is \(root.kind)")
        }
        var entries: [Entry] = []
        for member in members where member.key.hasSuffix(SelectedFiles.suffix) {
            entries.append(try Self.entry(member, text, path))
        }
        self.entries = entries
        guard entries.contains(where: { $0.key == SelectedFiles.program }) else {
            throw .configuration(
                "\(path):1: there is no key \"bin.file\", which names the program; write "
                    + "\"bin.file\": \"\(site.releaseDirectory)/…\"")
        }
    }

    private static func entry(
        _ member: JSONNode.Member, _ text: [UInt8], _ path: String
    ) throws(ControlError) -> Entry {
        let key = String(member.key.dropLast(SelectedFiles.suffix.count))
        let place = JSONPlace(of: member.node.range.lowerBound, in: text)
        func wrong(_ reason: String) -> ControlError {
            .configuration("\(path):\(place): \"\(member.key)\" \(reason)")
        }
        guard ReleaseSite.isValidName(key) else {
            throw wrong("cannot be the name of a link: use letters, digits, - and _")
        }
        guard let value = member.node.string else {
            throw wrong("is \(member.node.kind); it must be the path of a file, in quotation marks")
        }
        if value.isEmpty { throw wrong("is empty; it must be the path of a file") }
        if value.utf8.contains(0) { throw wrong("contains a zero byte") }
        if value.hasPrefix("/") { return Entry(key: key, value: value, path: value, place: place) }
        guard value.hasPrefix("~/") else {
            throw wrong(
                "is '\(value)', which is relative; write an absolute path, or one that begins "
                    + "with ~/")
        }
        guard let home = Path.home else {
            throw wrong("begins with ~, and HOME is not set; write an absolute path")
        }
        return Entry(key: key, value: value, path: home + value.dropFirst(), place: place)
    }
}

/// `current.conf`, where it is a symbolic link.
struct CurrentLink: Sendable, Hashable {
    /// The content of the link.
    var target: String
    /// The path of the file at the end of all links; nil: not known.
    var file: String?

    /// Nil: `current.conf` is not a link.
    static func read(_ site: ReleaseSite) -> CurrentLink? {
        guard let target = try? site.root.readLink(site.currentName) else { return nil }
        let chain = try? site.follow(site.currentName)
        return CurrentLink(target: target, file: chain?.exists == true ? chain?.path : nil)
    }
}
