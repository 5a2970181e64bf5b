// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// All worlds that can be reached from a beginning, breadth first.
///
/// Worlds are told apart by their hash values, 64 bits under a seed that every run has anew: that two
/// of a million share one happens once in tens of millions of runs.
struct Exploration {
    struct Result {
        var worlds = 0
        var transitions = 0
        var outcomes: [World.Outcome: Int] = [:]
    }

    /// Positions by hash value.
    private var known: [Int: Int] = [:]
    private var worlds: [World] = []
    /// For each world, whence and how it was reached first.
    private var origins: [(parent: Int, occurrence: Occurrence)?] = []
    private var next: [[Int]] = []
    private var result = Result()

    /// Explores a setting, and throws the first rule that breaks, with the way there.
    static func run(_ setting: Setting) throws(Violation) -> Result {
        var exploration = Exploration()
        _ = exploration.reach(try World.beginning(setting), from: nil)
        var position = 0
        while position < exploration.worlds.count {
            try exploration.expand(position)
            position += 1
        }
        try exploration.checkEnds()
        exploration.result.worlds = exploration.worlds.count
        return exploration.result
    }

    private mutating func expand(_ position: Int) throws(Violation) {
        let world = worlds[position]
        let progress = world.progress
        next.append([])
        for occurrence in progress {
            next[position].append(try step(world, position, occurrence))
        }
        for occurrence in world.faults { _ = try step(world, position, occurrence) }
        guard progress.isEmpty else { return }
        do {
            try world.checkQuiescent()
        } catch {
            throw traced(error, position, nil)
        }
        result.outcomes[world.outcome, default: 0] += 1
    }

    private mutating func step(
        _ world: World, _ position: Int, _ occurrence: Occurrence
    ) throws(Violation) -> Int {
        result.transitions += 1
        do {
            return reach(try world.after(occurrence), from: (position, occurrence))
        } catch {
            throw traced(error, position, occurrence)
        }
    }

    private mutating func reach(
        _ world: World, from origin: (parent: Int, occurrence: Occurrence)?
    ) -> Int {
        let hash = world.hashValue
        if let position = known[hash] { return position }
        known[hash] = worlds.count
        worlds.append(world)
        origins.append(origin)
        return worlds.count - 1
    }

    /// Progress without faults always comes to an end: there is no circle in it.
    private func checkEnds() throws(Violation) {
        var incoming = [Int](repeating: 0, count: worlds.count)
        for targets in next { for target in targets { incoming[target] += 1 } }
        var free = incoming.indices.filter { incoming[$0] == 0 }
        var removed = 0
        while let position = free.popLast() {
            removed += 1
            for target in next[position] {
                incoming[target] -= 1
                if incoming[target] == 0 { free.append(target) }
            }
        }
        guard removed != worlds.count, let position = incoming.firstIndex(where: { $0 > 0 })
        else { return }
        throw traced(Violation("goes round in circles"), position, nil)
    }

    private func traced(
        _ violation: Violation, _ position: Int, _ last: Occurrence?
    ) -> Violation {
        var way = last.map { ["\($0)"] } ?? []
        var current = position
        while let origin = origins[current] {
            way.append("\(origin.occurrence)")
            current = origin.parent
        }
        let world = worlds[position]
        return Violation(
            """
            \(violation)
              way: \(way.reversed().joined(separator: ", "))
              predecessor: \(world.life.phase), \(world.predecessor.state)
              successor: \(world.successorLife.map { "\($0.phase), " } ?? "")\(world.successor.state)
            """)
    }
}
