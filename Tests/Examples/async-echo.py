#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/nio-servers, async-echo: no connection is lost between the queue and a task."""

import socket
import threading

import harness


def once(port):
    """One connection, one exchange."""
    def client(run):
        with socket.create_connection(("127.0.0.1", port), harness.PATIENCE) as connection:
            connection.sendall(b"hello")
            heard = connection.recv(5, socket.MSG_WAITALL)
            harness.expect(heard == b"hello", f"heard {heard}")
            connection.shutdown(socket.SHUT_WR)
            harness.expect(connection.recv(1) == b"", "the server closes")
            run.ok()
    return client


def ten_upgrades(service):
    port = harness.free_port()
    service.start("async-echo", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    with harness.Clients(8, once(port), "connections") as load:
        service.upgrade_under(load, each=20)


def idle_connection_gets_its_end(service):
    """In the second half of a drain a connection gets its end, and none has to be cut."""
    port = harness.free_port()
    service.start("async-echo", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    heard = []

    def until_the_end(connection):
        with connection:
            heard.append(connection.recv(1))

    connection = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    connection.sendall(b"hello")
    harness.expect(connection.recv(5, socket.MSG_WAITALL) == b"hello", "no echo")
    reader = threading.Thread(target=until_the_end, args=[connection], daemon=True)
    reader.start()
    service.upgrade("--drain", "3s")
    reader.join(harness.PATIENCE)
    harness.expect(heard == [b""], f"heard {heard}")


def silent_clients(service):
    """A silent client that does not read its socket gets the end, and is not cut."""
    port = harness.free_port()
    service.start("async-echo", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    silent = [socket.create_connection(("127.0.0.1", port), harness.PATIENCE) for _ in range(20)]
    service.wait_for_connections(20)
    service.upgrade("--drain", "2s")
    for connection in silent:
        with connection:
            harness.expect(connection.recv(1) == b"", "a silent connection does not just end")


def half_closed(service):
    """A client that has shut down writing gets the rest of its echo, however slowly it reads."""
    port = harness.free_port()
    service.start("async-echo", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    size = 20_000_000
    with socket.create_connection(("127.0.0.1", port), harness.PATIENCE) as connection:
        def say():
            connection.sendall(b"x" * size)
            connection.shutdown(socket.SHUT_WR)

        speaker = threading.Thread(target=say, daemon=True)
        speaker.start()
        heard = 0
        while more := len(connection.recv(100_000)):
            heard += more
        speaker.join(harness.PATIENCE)
    harness.expect(heard == size, f"heard {heard} of {size} bytes")
    service.wait_for_connections(0)


if __name__ == "__main__":
    harness.main(ten_upgrades, idle_connection_gets_its_end, silent_clients, half_closed)
