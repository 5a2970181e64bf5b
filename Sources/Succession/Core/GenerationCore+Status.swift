// SPDX-License-Identifier: Apache-2.0

import SuccessionHandover
import SuccessionProtocol
import SuccessionSystem
import Synchronization

/// What a generation says of itself.
extension GenerationCore {
    func status() -> Wire.Status {
        var status = Wire.Status(
            generation: number, processID: ProcessEnvironment.processID,
            state: states.current.word)
        status.service = service
        status.stateTime = .since(stateSince)
        status.uptime = .since(bornAt)
        status.began = Int(clamping: bornAt)
        status.executable = program.path
        status.running = program.file.isEmpty ? nil : program.file
        status.connections = connections.count
        status.remaining = drain?.remaining
        status.upgrade = lifecycle.runningRequest.map { request in
            Wire.Status.Upgrade(
                successor: attempt?.successorPID ?? 0, elapsed: .since(request.since),
                requestedBy: request.processID)
        }
        status.oldest = connections.oldest(5).map { record in
            Wire.Status.Connection(
                age: .since(record.since), proto: record.proto, peer: record.peer)
        }
        status.maximumGenerations = lifecycle.maximumGenerations
        status.listeners = shared.withLock { $0.listeners }.map { Manifest.entry(for: $0) }
        status.listenerCount = status.listeners.count
        if let supervision { add(supervision, to: &status) }
        return status
    }

    private func add(_ supervision: Supervision, to status: inout Wire.Status) {
        status.unit = supervision.unit.map {
            Wire.Status.Unit(name: $0.name, isOfUser: $0.isOfUser)
        }
        status.watchdog = supervision.watchdogInterval
        status.stored = store?.count
        status.storedMaximum = store?.limit
    }
}
