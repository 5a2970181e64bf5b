// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// A setting or a state of a unit that does harm.
package struct UnitWarning: Sendable, Hashable {
    /// For programs: the setting in lower case, or a word.
    package let code: String
    /// What goes wrong.
    package let harm: String
    /// The line to change, or what to do.
    package let remedy: String

    init(_ code: String, _ harm: String, _ remedy: String) {
        self.code = code
        self.harm = harm
        self.remedy = remedy
    }

    package var sentence: String { "\(harm): \(remedy)" }

    /// Every warning, the most harmful first.
    package static func all(_ facts: UnitFacts) -> [UnitWarning] {
        supervision(facts) + ending(facts) + starting(facts) + sockets(facts) + store(facts)
    }
}

// MARK: - Supervision

extension UnitWarning {
    private static func supervision(_ facts: UnitFacts) -> [UnitWarning] {
        var found: [UnitWarning] = []
        let properties = facts.properties
        switch properties["Type"] {
        case nil, "notify", "": break
        case "notify-reload":
            found.append(
                UnitWarning(
                    "type", "with Type=notify-reload a failed upgrade is reported as success",
                    "set Type=notify and ExecReload=swapctl upgrade --detach \(facts.service)"))
        case let type?:
            found.append(
                UnitWarning(
                    "type",
                    "with Type=\(type) the manager does not hear which generation is the main one, "
                        + "and ends the unit when the old one leaves",
                    "set Type=notify"))
        }
        switch properties["NotifyAccess"] {
        case "all":
            found.append(
                UnitWarning(
                    "notifyaccess",
                    "with NotifyAccess=all an old generation that drains can take the service down, "
                        + "or hide that the new one hangs",
                    "set NotifyAccess=main"))
        case "none":
            found.append(
                UnitWarning(
                    "notifyaccess",
                    "with NotifyAccess=none the manager hears nobody, and kills the successor when "
                        + "the old generation leaves",
                    "set NotifyAccess=main"))
        default: break
        }
        if properties["ExitType"] == "cgroup" {
            found.append(
                UnitWarning(
                    "exittype",
                    "with ExitType=cgroup there is no main process, and a killed server counts as a "
                        + "clean end: nothing restarts it",
                    "remove ExitType="))
        }
        if properties["Delegate"] == "yes" {
            found.append(
                UnitWarning(
                    "delegate",
                    "with Delegate= what ExecReload= starts lies in a control group of its own, away "
                        + "from the service",
                    "remove Delegate="))
        }
        return found + processes(facts)
    }

    private static func processes(_ facts: UnitFacts) -> [UnitWarning] {
        var found: [UnitWarning] = []
        // During an upgrade MAINPID= may lag behind for a moment.
        if let serving = facts.serving, serving.upgrade == nil {
            if let main = facts.properties.integer("MainPID"),
                let pid = serving.visibleProcessID, main != pid
            {
                found.append(
                    UnitWarning(
                        "mainpid",
                        "the manager watches \(main == 0 ? "no process" : "pid \(main)"), and "
                            + "generation \(serving.generation) (pid \(pid)) serves: its "
                            + "crash goes unnoticed",
                        "upgrade once more, or `\(facts.unit.command("restart")) \(facts.unit.name)`"
                    ))
            }
            if isAlien(serving, facts) {
                found.append(
                    UnitWarning(
                        "alien",
                        "pid \(serving.visibleProcessID ?? 0) serves and is no child of the manager: a stop kills "
                            + "it at once, and its crash may go unnoticed",
                        "`\(facts.unit.command("daemon-reload"))` makes the manager look again"))
            }
        }
        guard let group = facts.properties["ControlGroup"], !group.isEmpty else { return found }
        for status in facts.living {
            guard let pid = status.visibleProcessID, let own = facts.controlGroups[pid],
                own != group,
                !own.hasPrefix(group + "/")
            else { continue }
            found.append(
                UnitWarning(
                    "controlgroup",
                    "generation \(status.generation) (pid \(pid)) is not in the control "
                        + "group of the unit: a stop leaves it behind",
                    "let the running server start its successor, by swapctl upgrade"))
        }
        return found
    }

    /// Whether the manager is not the parent of the serving process.
    ///
    /// The system manager is process 1; a parent of 0 cannot be seen. For a user manager, whose pid is not known, only
    /// another generation as the parent counts.
    private static func isAlien(_ serving: GenerationStatus, _ facts: UnitFacts) -> Bool {
        guard let parent = serving.visibleProcessID.flatMap({ facts.parents[$0] }) else {
            return false
        }
        if facts.living.contains(where: { $0.visibleProcessID == parent }) { return true }
        return !facts.unit.isOfUser && parent > 1
    }
}

// MARK: - Stop

extension UnitWarning {
    private static func ending(_ facts: UnitFacts) -> [UnitWarning] {
        var found: [UnitWarning] = []
        let properties = facts.properties
        switch properties["KillMode"] {
        case "mixed":
            found.append(
                UnitWarning(
                    "killmode",
                    "with KillMode=mixed a generation that still drains is killed when the main one "
                        + "leaves",
                    "set KillMode=control-group"))
        case let mode? where mode == "process" || mode == "none":
            found.append(
                UnitWarning(
                    "killmode",
                    "with KillMode=\(mode) a generation that still drains is left behind by a stop",
                    "set KillMode=control-group"))
        default: break
        }
        if properties["SendSIGKILL"] == "no" {
            found.append(
                UnitWarning(
                    "sendsigkill",
                    "with SendSIGKILL=no a generation that hangs outlives the stop of the service",
                    "remove SendSIGKILL="))
        }
        let stop = properties.time("TimeoutStopUSec")
        let longest = facts.living.compactMap(\.remainingMilliseconds).max()
        if let stop, let longest, longest * 1_000 > stop {
            let limit = DurationText.deadline(milliseconds: stop / 1_000)
            let drain = DurationText.deadline(milliseconds: longest)
            found.append(
                UnitWarning(
                    "timeoutstop",
                    "a stop kills after \(limit), and a generation may drain for \(drain) more",
                    "set TimeoutStopSec= to more than the drain deadline"))
        }
        if properties["OOMPolicy"] == "stop" {
            found.append(
                UnitWarning(
                    "oompolicy",
                    "with OOMPolicy=stop the service ends when memory runs out for an old generation",
                    "set OOMPolicy=continue"))
        }
        return found
    }
}

// MARK: - Start and reload

extension UnitWarning {
    private static func starting(_ facts: UnitFacts) -> [UnitWarning] {
        var found: [UnitWarning] = []
        let properties = facts.properties
        if let reload = properties["ExecReload"], !reload.isEmpty {
            let words = reload.split(separator: " ")
            let isUpgrade = zip(words, words.dropFirst())
                .contains { $0.hasSuffix("swapctl") && $1 == "upgrade" }
            if isUpgrade, !words.contains("--detach") {
                found.append(
                    UnitWarning(
                        "execreload",
                        "a reload waits until the old generation is gone, and fails if that had to "
                            + "be cut",
                        "set ExecReload=swapctl upgrade --detach \(facts.service)"))
            }
        } else if properties["Type"] == "notify" {
            found.append(
                UnitWarning(
                    "execreload",
                    "without ExecReload= `\(facts.unit.command("reload"))` upgrades nothing",
                    "set ExecReload=swapctl upgrade --detach \(facts.service)"))
        }
        if properties["Restart"] == "no" {
            found.append(
                UnitWarning(
                    "restart", "with Restart=no nobody starts the server again after a crash",
                    "set Restart=on-failure"))
        }
        if let limit = properties.time("StartLimitIntervalUSec"), limit > 0 {
            let isTriggered = !properties.words("TriggeredBy").isEmpty
            found.append(
                UnitWarning(
                    "startlimit",
                    "a few crashes within \(DurationText.deadline(milliseconds: limit / 1_000)) end the "
                        + "service for good" + (isTriggered ? ", and its socket unit with it" : ""),
                    "set StartLimitIntervalSec=0 in [Unit]"))
        }
        let isKept = properties["RuntimeDirectoryPreserve"] != "no"
        if !isKept, !properties.words("RuntimeDirectory").isEmpty {
            found.append(
                UnitWarning(
                    "runtimedirectorypreserve",
                    "a restart takes the control sockets from the generations that still drain",
                    "set RuntimeDirectoryPreserve=restart"))
        }
        return found
    }
}
