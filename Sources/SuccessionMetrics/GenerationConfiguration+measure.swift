// SPDX-License-Identifier: Apache-2.0

#if Metrics
public import CoreMetrics
public import Succession

extension GenerationConfiguration {
    /// Has every event counted as well, after ``onEvent`` as it is now; call it after a logger has
    /// been set.
    ///
    /// `every` is how often the number of connections is told while the generation serves. The
    /// names of the metrics are those of ``SuccessionMetrics``. The metrics are called on the control
    /// thread and must not block for long.
    public mutating func measure(
        with factory: any MetricsFactory = MetricsSystem.factory, every: Duration = .seconds(10)
    ) {
        sampleInterval = every
        let metrics = SuccessionMetrics(factory)
        onEvent = { [onEvent] event in
            onEvent(event)
            metrics.record(event)
        }
    }
}
#endif
