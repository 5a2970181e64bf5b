// SPDX-License-Identifier: Apache-2.0

#if Logging
public import Logging
public import Succession

extension GenerationConfiguration {
    /// Has every event written to `logger`, in the place of ``onEvent``, which by default prints to
    /// standard error.
    ///
    /// The log handler is called on the control thread and must not block for long.
    public mutating func log(to logger: Logger) {
        onEvent = { $0.log(to: logger) }
    }
}

extension SuccessionEvent {
    /// Writes the event with `service`, `generation` and `pid` as metadata, and what its kind holds.
    ///
    /// Durations are in milliseconds.
    public func log(to logger: Logger) {
        var metadata: Logger.Metadata = [
            "service": "\(service)", "generation": "\(generation)", "pid": "\(processID)",
        ]
        metadata.merge(kind.metadata) { $1 }
        logger.log(level: logLevel, "\(message)", metadata: metadata, source: "Succession")
    }

    private var logLevel: Logger.Level {
        if case .sample = kind { return .trace }
        return switch level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
#endif
