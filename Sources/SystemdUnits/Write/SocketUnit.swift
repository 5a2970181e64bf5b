// SPDX-License-Identifier: Apache-2.0

/// Writes the socket unit for the listeners of one name.
enum SocketUnit {
    static func text(_ request: UnitRequest, _ name: String) -> String {
        let unit = request.socketUnit(name)
        let served =
            request.layout == .instances ? "\(request.service)@a.service" : request.serviceUnit
        let listeners = request.listeners.filter { $0.name == name }
        var text = UnitText()
        text.comment(
            "systemd keeps these sockets open: while the service restarts, after a crash too, "
                + "connections wait in their queues and none is refused.")
        text.comment(
            "While this unit is up the next client starts the service again: to end it, stop "
                + "both. A changed address needs \(request.systemctl) stop \(served), then "
                + "\(request.systemctl) restart \(unit); after daemon-reload alone the sockets "
                + "are gone.")
        text.section("Unit")
        text.set("Description", "Sockets of \(request.service): \(name)")
        text.section("Socket")
        text.comment(
            "The name by which the server asks for them: listener(\"\(name)\", orBind: …).")
        text.set("FileDescriptorName", name)
        text.set(listeners.map(\.line))
        if let families = listeners.compactMap(\.ipv6Only).first {
            text.set("BindIPv6Only", families)
        }
        if request.layout == .instances {
            text.comment("The instance that a client starts if none runs.")
            text.set("Service", served)
        } else if unit != "\(request.service).socket" {
            text.set("Service", served)
        }
        text.comment(
            "No ReusePort=: one socket has one queue, and no other process takes a share of it.")
        text.section("Install")
        text.set("WantedBy", "sockets.target")
        return text.text
    }
}
