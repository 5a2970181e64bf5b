// SPDX-License-Identifier: Apache-2.0

import SuccessionSystem
import SystemPackage

/// A path that was followed name by name through open directories.
///
/// What was checked is what is used, even if the path leads elsewhere meanwhile.
struct LinkChain: Sendable {
    /// A name, and the open directory it is in.
    struct Step: Sendable {
        var directory: Directory
        var name: String
        var path: String { directory.child(name) }
    }

    enum Problem: Error, Sendable, Hashable {
        case system(Errno)
        /// A link in the site leads out of it.
        case leadsOut(link: String, target: String)

        var errno: Errno {
            switch self {
            case .system(let errno): errno
            case .leadsOut: .notPermitted
            }
        }
    }

    private static let maximumLinks = 40

    /// The links on the path.
    private(set) var links: [Step] = []
    /// Every directory on the path.
    private(set) var directories: [Directory] = []
    /// The last name, whether it exists or not; empty for the directory itself.
    private(set) var end: Step

    /// Whether the last name exists.
    private(set) var exists = true

    /// The resolved path, without links, `.` and `..`.
    var path: String { end.name.isEmpty ? end.directory.path : end.path }

    /// Follows a path from a directory.
    ///
    /// With `boundary` a link that leads out of that directory is an error; absolute links are then
    /// followed from it.
    init(
        _ path: String, in start: Directory, boundary: Directory? = nil
    ) throws(Problem) {
        var stack = [start]
        var left = Self.parts(path)
        end = Step(directory: start, name: "")
        directories = [start]
        if path.hasPrefix("/") {
            stack = [try Self.attempt { () throws(Errno) in try Directory("/") }]
            directories = stack
        }
        while !left.isEmpty {
            let name = left.removeFirst()
            guard let here = stack.last else { throw .system(.invalidArgument) }
            if name == ".." {
                try Self.leave(&stack, boundary, links.last)
                if let top = stack.last { directories.append(top) }
                continue
            }
            let step = Step(directory: here, name: name)
            guard let target = try readLink(step, isLast: left.isEmpty) else {
                if left.isEmpty {
                    end = step
                    return
                }
                let next = try Self.attempt { () throws(Errno) in try here.directory(name) }
                stack.append(next)
                directories.append(next)
                continue
            }
            links.append(step)
            if links.count > Self.maximumLinks { throw .system(.tooManySymbolicLinkLevels) }
            left = Self.parts(target) + left
            guard target.hasPrefix("/") else { continue }
            guard let boundary else {
                stack = [try Self.attempt { () throws(Errno) in try Directory("/") }]
                directories += stack
                continue
            }
            guard target == boundary.path || target.hasPrefix(boundary.path + "/") else {
                throw .leadsOut(link: step.path, target: target)
            }
            left.removeFirst(Self.parts(boundary.path).count)
            stack = [boundary]
        }
        if let here = stack.last { end = Step(directory: here, name: "") }
    }

    private static func parts(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }
    }

    /// Nil: the name is not a link, or it is the last one and does not exist.
    private mutating func readLink(_ step: Step, isLast: Bool) throws(Problem) -> String? {
        do throws(Errno) {
            return try step.directory.readLink(step.name)
        } catch {
            if error == .invalidArgument { return nil }
            guard error == .noSuchFileOrDirectory, isLast else { throw .system(error) }
            exists = false
            return nil
        }
    }

    private static func leave(
        _ stack: inout [Directory], _ boundary: Directory?, _ link: Step?
    ) throws(Problem) {
        guard let here = stack.last else { return }
        if stack.count > 1 {
            stack.removeLast()
        } else if boundary == nil {
            stack = [try attempt { () throws(Errno) in try here.parent() }]
        } else {
            throw .leadsOut(link: link?.path ?? here.path, target: "..")
        }
    }

    private static func attempt<Result>(
        _ body: () throws(Errno) -> Result
    ) throws(Problem) -> Result {
        do {
            return try body()
        } catch {
            throw .system(error)
        }
    }

    // MARK: - The end

    /// Opens the file at the end.
    func open(_ flags: OpenFlags) throws(Errno) -> OwnedDescriptor {
        if !exists { throw .noSuchFileOrDirectory }
        // The end is the directory itself.
        if end.name.isEmpty { return try end.directory.descriptor.duplicate() }
        return try end.directory.open(end.name, flags)
    }

    /// The status of the file at the end.
    func facts() throws(Errno) -> FileFacts {
        if !exists { throw .noSuchFileOrDirectory }
        return end.name.isEmpty ? try end.directory.facts() : try end.directory.facts(end.name)
    }

    /// The directory at the end.
    func openDirectory() throws(Errno) -> Directory {
        end.name.isEmpty ? end.directory : try end.directory.directory(end.name)
    }
}
