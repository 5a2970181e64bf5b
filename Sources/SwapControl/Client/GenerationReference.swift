// SPDX-License-Identifier: Apache-2.0

/// The number of a generation and the pid of its process.
public struct GenerationReference: Sendable, Hashable, CustomStringConvertible {
    /// The number of the generation, from 1 on.
    public package(set) var generation: Int
    /// The pid in the pid namespace of this process; nil where it is not known.
    public package(set) var processID: Int?

    package init(generation: Int, processID: Int?) {
        self.generation = generation
        self.processID = processID
    }

    /// `generation 3 (pid 4711)`.
    public var description: String {
        "generation \(generation)" + (processID.map { " (pid \($0))" } ?? "")
    }
}

/// Which generation serves, as far as it is known.
package enum ServingState: Sendable, Hashable {
    case generation(GenerationReference)
    case nobody
    case unknown

    package var generation: GenerationReference? {
        if case .generation(let generation) = self { return generation }
        return nil
    }

    /// The last line of every command that changes something.
    package func sentence(_ service: String) -> String {
        switch self {
        case .generation(let generation): "\(service): \(generation) is serving"
        case .nobody: "\(service): nobody serves"
        case .unknown:
            "\(service): it is not known who serves; ask `swapctl status \(service)`"
        }
    }
}
