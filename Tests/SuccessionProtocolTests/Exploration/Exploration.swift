// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// All worlds that can be reached from a beginning, breadth first.
struct Exploration {
    /// What is explored: with faults or only the course of things.
    struct Result {
        var worlds = 0
        var transitions = 0
        var outcomes: [World.Outcome: Int] = [:]
    }

    private var known: [World: Int] = [:]
    private var worlds: [World] = []
    /// For each world, whence and how it was reached first.
    private var origins: [(parent: Int, occurrence: Occurrence)?] = []
    private var next: [[Int]] = []
    private var result = Result()

    /// Explores a setting, and throws the first rule that breaks, with the way there.
    static func run(_ setting: Setting, withStrays: Bool) throws(Violation) -> Result {
        var exploration = Exploration()
        var beginning = try World.beginning(setting)
        beginning.mayInject = withStrays
        _ = exploration.reach(beginning, from: nil)
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
        if let position = known[world] { return position }
        known[world] = worlds.count
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
              predecessor: \(world.predecessor.state)
              successor: \(world.successor.state)
            """)
    }
}
