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
            text.comment("Never without its sockets: started alone it would get none.")
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
            "The serving generation names its successor (MAINPID=), and from then on only the new "
                + "one is heard. With \"all\" an old one that drains could still take the service "
                + "down or hide that the new one hangs.")
        text.set("NotifyAccess", "main")
        if request.layout == .instances {
            text.comment("All instances take from the same queues.")
            text.set("Sockets", request.socketUnits)
        } else if request.layout == .activated, request.names.count > 1 {
            text.set("Sockets", request.socketUnits)
        }
        if request.layout != .binding {
            text.comment(
                "Whether a socket blocks is kept in the socket, which all generations share; "
                    + "without this line every start of the service makes it block again.")
            text.set("NonBlocking", "yes")
        }
        let isTemplate = request.layout == .instances
        text.set(
            "ExecStart",
            UnitText.commandLine(
                [request.executable] + request.arguments, keepsInstance: isTemplate))
        text.comment(
            "Only asks: the server starts the successor, which so is born in this unit. The exit "
                + "status is that of \"\(request.systemctl) reload\", which Type=notify-reload "
                + "could not tell. --detach: done when the successor serves, not when the last "
                + "old connection is.")
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
                "Clients wait that long after a crash; 0 would let a crash loop burn a core.")
            text.set("RestartSec", "100ms")
        } else {
            text.set("RestartSec", "250ms")
        }
        text.comment(
            "Bounds a reload too: longer than the \(shown(request.timeout)) a successor has to "
                + "become ready, so that a failed upgrade says why.")
        text.set("TimeoutStartSec", seconds(request.timeout, 15))
        text.comment("Longer than a drain (\(shown(request.drain))): nobody is cut by a stop.")
        text.set("TimeoutStopSec", seconds(request.drain, 15))
        text.comment(
            "A stop lets every living generation finish; \"mixed\" would kill the ones that drain, "
                + "\"process\" would leave them behind.")
        text.set("KillMode", "control-group")
        text.comment("Out of memory, an old generation may be killed without ending the new one.")
        text.set("OOMPolicy", "continue")
        if let watchdog = request.watchdog {
            text.comment("The server must ping twice in this time; a hung one is restarted.")
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
        text.comment("The same number: before systemd 254 a service is not told.")
        text.set("Environment", "SUCCESSION_FDSTORE=64")
        text.comment("By default 1024 for each generation.")
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
