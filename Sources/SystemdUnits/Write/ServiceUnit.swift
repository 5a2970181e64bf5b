// SPDX-License-Identifier: Apache-2.0

import SwapControl

/// Writes the service unit.
enum ServiceUnit {
    static func text(_ request: UnitRequest) -> String {
        var text = UnitText()
        head(request, &text)
        text.section("Service")
        process(request, &text)
        ends(request, &text)
        kept(request, &text)
        Hardening.write(request, &text)
        install(request, &text)
        return text.text
    }

    private static func head(_ request: UnitRequest, _ text: inout UnitText) {
        text.section("Unit")
        switch request.layout {
        case .activated:
            text.set("Description", request.service)
            text.comment("Without its socket units the service would start without sockets.")
            text.set("Requires", request.socketUnits)
            text.set("After", request.socketUnits)
        case .instances:
            text.set("Description", "\(request.service), instance %i")
            text.set("Requires", request.socketUnits)
            text.set("After", request.socketUnits)
        case .binding:
            text.set("Description", request.service)
            text.set("After", "network.target")
        }
        text.comment(
            request.layout == .binding
                ? "By default five crashes in ten seconds end the service for good."
                : "By default five crashes in ten seconds end the service for good, and take the "
                    + "socket unit and its port along.")
        text.set("StartLimitIntervalSec", "0")
    }

    private static func process(_ request: UnitRequest, _ text: inout UnitText) {
        text.set("Type", "notify")
        text.comment(
            "The serving generation reports its successor (MAINPID=), and from then on systemd "
                + "accepts messages of the new one only. With \"all\" an old one that drains could "
                + "end the service or hide that the new one hangs.")
        text.set("NotifyAccess", "main")
        if request.layout == .instances {
            text.comment("All instances accept from the same queues.")
            text.set("Sockets", request.socketUnits)
        } else if request.layout == .activated, request.names.count > 1 {
            text.set("Sockets", request.socketUnits)
        }
        if request.layout != .binding {
            text.comment(
                "The generations share the blocking mode of a socket: without this line every start "
                    + "of the service makes it block again.")
            text.set("NonBlocking", "yes")
        }
        let isTemplate = request.layout == .instances
        text.set(
            "ExecStart",
            UnitText.commandLine(
                [request.executable] + request.arguments, keepsInstance: isTemplate))
        text.comment(
            "Asks the server, which starts the successor in this unit. \"\(request.systemctl) "
                + "reload\" fails if the upgrade does; Type=notify-reload would hide it. --detach: "
                + "returns when the successor serves, not when the last old connection is closed.")
        text.set(
            "ExecReload",
            UnitText.commandLine(
                [request.swapctl, "upgrade", "--detach", request.swapctlName],
                keepsInstance: isTemplate))
    }

    private static func ends(_ request: UnitRequest, _ text: inout UnitText) {
        text.set("Restart", "on-failure")
        if request.layout == .binding {
            text.comment(
                "How long clients wait after a crash; with 0 a crash loop would occupy a core.")
            text.set("RestartSec", "100ms")
        } else {
            text.set("RestartSec", "250ms")
        }
        text.comment(
            "Limits a reload too: longer than the \(shown(request.timeout)) that a successor has to "
                + "become ready, so that a failed upgrade can report why.")
        text.set("TimeoutStartSec", seconds(request.timeout, 15))
        text.comment("Longer than a drain (\(shown(request.drain))): a stop cuts no connection.")
        text.set("TimeoutStopSec", seconds(request.drain, 15))
        text.comment(
            "A stop lets every generation finish; \"mixed\" would kill the generations that drain, "
                + "\"process\" would leave them behind.")
        text.set("KillMode", "control-group")
        text.comment("If the kernel kills an old generation for its memory, the new one goes on.")
        text.set("OOMPolicy", "continue")
        if let watchdog = request.watchdog {
            text.comment("systemd restarts a server that does not ping within this time.")
            text.set("WatchdogSec", "\(watchdog.wholeMilliseconds)ms")
        }
    }

    private static func kept(_ request: UnitRequest, _ text: inout UnitText) {
        let directory = request.isForUserManager ? "$XDG_RUNTIME_DIR" : "/run"
        text.comment(
            "The control sockets: \"swapctl upgrade \(request.swapctlName)\" looks in "
                + "\(directory)/\(request.swapctlName). A restart must not take them from the "
                + "generations that still drain.")
        text.set("RuntimeDirectory", request.swapctlName)
        text.set("RuntimeDirectoryMode", "0700")
        text.set("RuntimeDirectoryPreserve", "restart")
        text.comment(
            request.layout == .binding
                ? "What the server stores (its listeners) survives a crash and a restart of all "
                    + "generations, and no connection is refused; a stop empties it."
                : "What the server stores survives a crash and a restart of all generations; a "
                    + "stop empties it.")
        text.set("FileDescriptorStoreMax", "64")
        text.comment("The same number, for systemd before 254, which does not tell the service.")
        text.set("Environment", "SUCCESSION_FDSTORE=64")
        text.comment("The limit of each generation; the default is 1024.")
        text.set("LimitNOFILE", "65536")
    }

    private static func install(_ request: UnitRequest, _ text: inout UnitText) {
        if request.layout == .instances { return }
        text.section("Install")
        text.set("WantedBy", request.isForUserManager ? "default.target" : "multi-user.target")
        if request.layout == .activated { text.set("Also", request.socketUnits) }
    }

    private static func seconds(_ duration: Duration, _ more: Int) -> String {
        "\((duration.wholeMilliseconds + 999) / 1_000 + more)"
    }

    private static func shown(_ duration: Duration) -> String {
        DurationText.deadline(milliseconds: duration.wholeMilliseconds)
    }
}
