#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/flyingfox-app: HTTP/1.1, kept alive and not, a long download and a slow upload."""

import contextlib
import os
import socket

import harness
import harness_http


def ten_upgrades(service):
    harness_http.upgrades(service, "flyingfox-app")


def sees_its_clients(service):
    """The relay shows the application who the client is, and closes what either side closes."""
    port, pid = harness_http.start(service, "flyingfox-app")
    before = len(os.listdir(f"/proc/{pid}/fd"))
    with socket.create_connection(
            ("127.0.0.1", port), timeout=10, source_address=("127.0.0.2", 0)) as client:
        client.sendall(b"GET /client HTTP/1.1\r\n\r\n")
        # Half-closed: the answer comes all the same, and then the end.
        client.shutdown(socket.SHUT_WR)
        with contextlib.closing(client.makefile("rb")) as answer:
            text = answer.read()
        harness.expect(text.endswith(b"\r\n\r\n127.0.0.2\n"), f"not its address: {text}")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"no request\r\n\r\n")
        harness.expect(client.recv(100) == b"", "what is no HTTP is not closed")
    harness.until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == before,
                  "no descriptor is left of a connection")
    harness.expect(service.serving()["connections"] == 0, "no connection is left")


def descriptors_are_few(service):
    """More clients than there are descriptors for wait, and the server does not end."""
    port = harness.free_port()
    service.start("/usr/bin/prlimit", "--nofile=100:100", service.binaries / "flyingfox-app",
                  "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
    clients = [socket.create_connection(("127.0.0.1", port), harness.SECONDS) for _ in range(60)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    # (100 - 64) / 3, and none behind them.
    harness.until(lambda: service.serving()["connections"] == 12, "as many as may be are taken")
    for client in clients:
        # Each is kept alive, and in the way of the others until it goes.
        with client:
            heard = b""
            while not heard.endswith(b"hello\n"):
                more = client.recv(1000)
                harness.expect(more, f"a client is not served: {heard}")
                heard += more
    harness.until(lambda: service.serving()["connections"] == 0, "no connection is left")
    harness.expect(service.first.poll() is None, "the server has ended")
    service.upgrade("--drain", "30s")


if __name__ == "__main__":
    harness.main(ten_upgrades, sees_its_clients, descriptors_are_few)
