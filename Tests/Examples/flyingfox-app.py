#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/flyingfox-app: HTTP/1.1, kept alive and not, a long download and a slow upload."""

import contextlib
import socket
import time

import harness
from harness import descriptors, http1, http1_checks, network


def ten_upgrades(service):
    # FlyingFox gives a handler 15 s for its response.
    http1_checks.upgrades(service, "flyingfox-app", long_upload=False)


def sees_its_clients(service):
    """The relay shows the application who the client is, and closes what either side closes."""
    port, pid = http1_checks.start(service, "flyingfox-app")
    before = len(descriptors.table(pid))
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
    harness.until(lambda: len(descriptors.table(pid)) == before,
                  "no descriptor is left of a connection")
    harness.expect(service.serving()["connections"] == 0, "no connection is left")


def descriptors_are_few(service):
    """More clients than there are descriptors for wait, and the server does not end."""
    port = harness.free_port()
    service.start("/usr/bin/prlimit", "--nofile=100:100", service.binaries / "flyingfox-app",
                  "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
    clients = [socket.create_connection(("127.0.0.1", port), harness.PATIENCE) for _ in range(60)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    # (100 - 64) / 3, and none behind them.
    service.wait_for_connections(12)
    for client in clients:
        # Each is kept alive, and in the way of the others until it goes.
        with client:
            heard = b""
            while not heard.endswith(b"hello\n"):
                more = client.recv(1000)
                harness.expect(more, f"a client is not served: {heard}")
                heard += more
    service.wait_for_connections(0)
    harness.expect(service.first.poll() is None, "the server has ended")
    service.upgrade("--drain", "30s")


def connection_is_closed_after_the_last_answer(service):
    """A client that is told `Connection: close` and stays has its connection closed."""
    port, _ = http1_checks.start(service, "flyingfox-app")
    connection, = network.connections(port, 1)
    http1.answered(connection)
    upload, = network.connections(port, 1)
    upload.sendall(b"POST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    service.upgrade("--detach", "--drain", "60s")
    began = time.monotonic()
    connection.sendall(http1.REQUEST)
    text = network.until_end(connection)
    harness.expect(b"connection: close" in text.lower() and text.endswith(b"hello\n"), f"{text}")
    upload.sendall(b"2\r\nde\r\n0\r\n\r\n")
    text = network.until_end(upload)
    harness.expect(b"connection: close" in text.lower() and text.endswith(b"5\n"), f"{text}")
    took = time.monotonic() - began
    harness.expect(took < 20, f"closed only after {took:.1f} s")
    service.wait_for_departures()


def pipelined(service):
    port, _ = http1_checks.start(service, "flyingfox-app")
    http1_checks.pipelined(service, port, "/body?chunks=10&ms=150")


def idle_clients(service):
    port, _ = http1_checks.start(service, "flyingfox-app")
    http1_checks.idle_clients_do_not_read(service, port)


def silent_clients(service):
    port, _ = http1_checks.start(service, "flyingfox-app")
    http1_checks.silent_clients_get_the_end(service, port)


if __name__ == "__main__":
    harness.main(ten_upgrades, sees_its_clients, descriptors_are_few,
                 connection_is_closed_after_the_last_answer, pipelined, idle_clients,
                 silent_clients)
