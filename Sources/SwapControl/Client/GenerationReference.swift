// SPDX-License-Identifier: Apache-2.0

/// A generation and its process.
package struct GenerationReference: Sendable, Hashable, CustomStringConvertible {
    package var generation: Int
    /// Nil if it is not known.
    package var processID: Int?

    package init(generation: Int, processID: Int?) {
        self.generation = generation
        self.processID = processID
    }

    package var description: String {
        "generation \(generation)" + (processID.map { " (pid \($0))" } ?? "")
    }
}

/// What is known about who serves now.
package enum ServingState: Sendable, Hashable {
    case generation(GenerationReference)
    case nobody
    case unknown

    package var serving: GenerationReference? {
        if case .generation(let serving) = self { return serving }
        return nil
    }

    /// What every command that changes something ends with.
    package func sentence(_ service: String) -> String {
        switch self {
        case .generation(let serving): "\(service): \(serving) is serving"
        case .nobody: "\(service): nobody serves"
        case .unknown:
            "\(service): who serves now is not known; ask `swapctl status \(service)`"
        }
    }
}
