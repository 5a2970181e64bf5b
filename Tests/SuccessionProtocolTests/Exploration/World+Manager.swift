// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol

extension ServiceManager {
    /// `MAINPID=`, which counts if it comes from a process that is listened to.
    mutating func hears(_ sender: Party, nowMain: Party, _ access: Setting.NotifyAccess) {
        if access == .all || main == sender { main = nowMain }
    }
}

/// The service manager.
extension World {
    /// Whether the process that it takes for the main one has ended.
    var mainHasEnded: Bool {
        guard setting.manager == .parent else { return false }
        return switch manager.main {
        case .predecessor: !predecessorAlive
        case .successor: process == .dead || process == .notStarted
        case .nobody: true
        }
    }

    mutating func happenToManager(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .managerIntroduces:
            try introduce(hears: process != .dead, isInTime: process != .dead)
        case .managerHearsGiveBack:
            try giveBack(hears: predecessorAlive)
        case .managerIsSlow(let hears):
            manager.mayBeSlow = false
            if introductionPending {
                try introduce(hears: hears && process != .dead, isInTime: false)
            } else {
                try giveBack(hears: hears && predecessorAlive)
            }
        case .managerNoticesEnd, .managerStops:
            manager.mayStop = false
            stopUnit()
        case .signalArrives(.predecessor):
            manager.signals.remove(.predecessor)
            try tellPredecessor()
        default:
            manager.signals.remove(.successor)
            try tellSuccessor()
        }
    }

    private mutating func introduce(hears: Bool, isInTime: Bool) throws(Violation) {
        introductionPending = false
        if hears { manager.hears(.predecessor, nowMain: .successor, setting.access) }
        try lifeHandles(isInTime ? .introduced : .introductionFailed(reason: "not in time"))
    }

    private mutating func giveBack(hears: Bool) throws(Violation) {
        giveBackPending = false
        gaveBack = true
        if hears { manager.hears(.successor, nowMain: .predecessor, setting.access) }
        try successorLifeHandles(.mainProcessGivenBack)
    }

    private mutating func stopUnit() {
        isExplained = true
        manager.isStopping = true
        if predecessorAlive { manager.signals.insert(.predecessor) }
        if process == .alive { manager.signals.insert(.successor) }
    }

    private mutating func tellSuccessor() throws(Violation) {
        // Its program does not listen.
        if isRogue { return }
        // The signal has its default disposition until there is a generation.
        guard successorLife != nil else { return successorEnds(.left) }
        try successorLifeHandles(.drainRequested(deadline: nil))
    }
}
