// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

/// Messages of every kind, with any values that they may have.
enum WireSamples {
    /// Messages of a kind in which every key is there.
    static func full(
        _ kind: Message.Kind, _ generator: inout SeededGenerator
    ) -> [any WireMessage] {
        var random = Values(generator: generator, isFull: true)
        defer { generator = random.generator }
        return samples(kind, &random)
    }

    /// Messages of a kind in which any key may be absent that may be.
    static func any(
        _ kind: Message.Kind, _ generator: inout SeededGenerator
    ) -> [any WireMessage] {
        var random = Values(generator: generator, isFull: false)
        defer { generator = random.generator }
        return samples(kind, &random)
    }

    private static func samples(
        _ kind: Message.Kind, _ random: inout Values
    ) -> [any WireMessage] {
        switch kind {
        case .hello:
            [Wire.Hello(processID: random.optional { $0.pid() }, features: random.features())]
        case .offer: [offer(&random)]
        case .state:
            [
                Wire.State(random.bytes()),
                Wire.State(fileOfSize: random.number(in: 0...Int.max - 1)),
            ]
        case .taken:
            [
                Wire.Taken.batch(random.number(in: 1...9_999), descriptors: random.count()),
                Wire.Taken.state(size: random.number(in: 0...Int.max - 1)),
            ]
        case .ready:
            [
                Wire.Ready(
                    left: random.list { Wire.Ready.Left(what: $0.word(), name: $0.text()) })
            ]
        case .committed: [Wire.Committed()]
        case .accepting: [Wire.Accepting()]
        case .leaving: [Wire.Leaving()]
        case .draining:
            [Wire.Draining(connections: random.count(), remaining: random.milliseconds())]
        case .drained: [Wire.Drained(cut: random.count())]
        case .trouble: [Wire.Trouble(random.failure())]
        case .abort: [Wire.Abort(random.failure()), Wire.AbortRequest()]
        case .refused: [Wire.Refused(random.failure())]
        case .status: [status(&random), Wire.StatusRequest()]
        case .upgrade: [upgrade(&random)]
        case .step:
            [
                Wire.Step(
                    step: StepWord(rawValue: random.word()),
                    status: StepStatus(rawValue: random.word()), elapsed: random.microseconds(),
                    detail: random.text())
            ]
        case .result: results(&random)
        case .drain: [Wire.Drain(deadline: random.optional { $0.milliseconds() })]
        case .stop: [Wire.Stop()]
        case .aborted:
            [
                Wire.Aborted(
                    generation: random.optional { $0.generation() },
                    processID: random.optional { $0.pid() },
                    successor: random.optional { $0.pid() }, elapsed: random.microseconds())
            ]
        case .reload: [Wire.Reload(timeout: random.optional { $0.milliseconds() })]
        case .reloaded:
            [
                Wire.Reloaded(
                    generation: random.optional { $0.generation() },
                    processID: random.optional { $0.pid() }, elapsed: random.microseconds())
            ]
        }
    }

    private static func offer(_ random: inout Values) -> Wire.Offer {
        let batches = random.number(in: 1...9_999)
        return Wire.Offer(
            service: random.text(), generation: random.generation(), processID: random.pid(),
            features: random.features(), batch: random.number(in: 1...batches), of: batches,
            total: random.count(), hasState: random.bool(),
            descriptors: random.number(in: 0...Message.maximumDescriptors),
            manifest: ManifestBody.encode(random.list { $0.entry() }))
    }

    private static func upgrade(_ random: inout Values) -> Wire.Upgrade {
        Wire.Upgrade(
            timeout: random.optional { $0.milliseconds() },
            drainDeadline: random.optional { $0.milliseconds() },
            isStrict: random.isFull || random.bool(),
            executable: random.optional { $0.text() }, arguments: random.list { $0.text() },
            environment: random.list { "X\($0.word())=\($0.text())" })
    }

    private static func results(_ random: inout Values) -> [Wire.UpgradeResult] {
        let outcomes: [Wire.UpgradeResult.Outcome] = [
            .committed(left: random.list { $0.text() }),
            .unchanged(
                .init(
                    random.failure(), successor: random.optional { $0.pid() },
                    exitStatus: random.optional { $0.number(in: 0...255) },
                    signal: random.optional { $0.number(in: 1...127) },
                    standardError: random.list { $0.text() })),
            .unknown("half-" + random.word()),
        ]
        return outcomes.map {
            Wire.UpgradeResult(
                $0, generation: random.optional { $0.generation() },
                processID: random.optional { $0.pid() })
        }
    }

    private static func status(_ random: inout Values) -> Wire.Status {
        var status = Wire.Status(
            generation: random.generation(), processID: random.pid(),
            state: random.optional { StateWord(rawValue: $0.text()) })
        status.service = random.text()
        status.stateTime = random.microseconds()
        status.uptime = random.microseconds()
        status.began = random.optional { $0.number(in: 0...Int.max - 1) }
        status.executable = random.text()
        status.running = random.optional { $0.text() }
        status.connections = random.count()
        status.remaining = random.optional { $0.milliseconds() }
        status.upgrade = random.optional {
            .init(
                successor: Int32($0.count()), elapsed: $0.microseconds(),
                requestedBy: $0.optional { Int32($0.count()) })
        }
        status.oldest = random.list {
            .init(age: $0.microseconds(), proto: $0.text(), peer: $0.word())
        }
        status.maximumGenerations = random.optional { Int($0.pid()) }
        status.unit = random.optional { .init(name: $0.text(), isOfUser: $0.bool()) }
        status.watchdog = random.optional { $0.microseconds() }
        status.stored = random.optional { $0.count() }
        status.storedMaximum = random.optional { $0.count() }
        status.listeners = random.list { $0.entry() }
        status.listenerCount = status.listeners.count + random.number(in: 0...9_999)
        return status
    }
}
