// SPDX-License-Identifier: Apache-2.0

/// Writes the sandbox settings of a service: only what a server of this library needs is allowed.
enum Hardening {
    static func write(_ request: UnitRequest, _ text: inout UnitText) {
        text.comment("--- Sandbox. Loosen it in a drop-in (systemctl edit).")
        if request.isForUserManager {
            network(request, &text)
            text.set(ofProcesses)
            systemCalls(&text)
            return
        }
        if let user = request.user {
            text.set("User", user)
        } else {
            text.set("DynamicUser", "yes")
        }
        network(request, &text)
        if bindsBelow1024(request) {
            text.comment("For a port below 1024; the capability has no effect with PrivateUsers=.")
            text.set("AmbientCapabilities", "CAP_NET_BIND_SERVICE")
            text.set("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE")
        } else {
            text.set("CapabilityBoundingSet", "")
            text.set("PrivateUsers", "yes")
        }
        text.set(ofFiles)
        text.comment(
            "No ProcSubset=pid: the server reads the maximum queue length in /proc/sys/net.")
        text.set("ProtectProc", "invisible")
        text.set(ofTheKernel)
        text.set(ofProcesses)
        systemCalls(&text)
    }

    private static func bindsBelow1024(_ request: UnitRequest) -> Bool {
        request.layout == .binding
            && request.listeners.contains { (1..<1024).contains($0.port ?? 0) }
    }

    private static func network(_ request: UnitRequest, _ text: inout UnitText) {
        if request.layout != .binding, !request.usesNetwork {
            text.comment(
                "Sockets that systemd passes work in spite of this; the server itself opens Unix "
                    + "sockets only, for systemd and for swapctl.")
            if !request.isForUserManager {
                text.set("PrivateNetwork", "yes")
                text.set("IPAddressDeny", "any")
            }
            text.set("RestrictAddressFamilies", "AF_UNIX")
            return
        }
        var families = ["AF_UNIX"]
        var needed = request.listeners.map(\.family)
        if request.usesNetwork || needed.isEmpty { needed.append("AF_INET AF_INET6") }
        for family in needed.flatMap({ $0.split(separator: " ").map(String.init) })
        where !families.contains(family) {
            families.append(family)
        }
        text.comment("AF_UNIX: for systemd and for swapctl.")
        text.set("RestrictAddressFamilies", families.joined(separator: " "))
    }

    private static func systemCalls(_ text: inout UnitText) {
        text.comment(
            "A denied call fails and does not kill the service: the library has alternatives.")
        text.set("SystemCallFilter", "@system-service")
        text.set("SystemCallFilter", "~@privileged @resources")
        text.set("SystemCallErrorNumber", "EPERM")
        text.set("SystemCallArchitectures", "native")
    }

    private static let ofFiles = [
        ("ProtectSystem", "strict"), ("ProtectHome", "yes"), ("PrivateTmp", "yes"),
        ("PrivateMounts", "yes"), ("PrivateDevices", "yes"), ("PrivateIPC", "yes"),
        ("RemoveIPC", "yes"), ("UMask", "0077"),
    ]

    private static let ofTheKernel = [
        ("ProtectClock", "yes"), ("ProtectHostname", "yes"), ("ProtectKernelTunables", "yes"),
        ("ProtectKernelModules", "yes"), ("ProtectKernelLogs", "yes"),
        ("ProtectControlGroups", "yes"),
    ]

    private static let ofProcesses = [
        ("NoNewPrivileges", "yes"), ("LockPersonality", "yes"), ("MemoryDenyWriteExecute", "yes"),
        ("RestrictNamespaces", "yes"), ("RestrictRealtime", "yes"), ("RestrictSUIDSGID", "yes"),
    ]
}
