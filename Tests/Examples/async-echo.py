#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/nio-servers, async-echo: no connection is lost between the queue and a task."""

import socket
import threading

import harness


def once(port):
    """One connection, one exchange."""
    def client(run):
        with socket.create_connection(("127.0.0.1", port), harness.SECONDS) as connection:
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


def who_stays_is_told(service):
    """In the second half of a drain a connection gets its end, and none has to be cut."""
    port = harness.free_port()
    service.start("async-echo", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    heard = []

    def until_the_end(connection):
        with connection:
            heard.append(connection.recv(1))

    connection = socket.create_connection(("127.0.0.1", port), harness.SECONDS)
    connection.sendall(b"hello")
    harness.expect(connection.recv(5, socket.MSG_WAITALL) == b"hello", "no echo")
    reader = threading.Thread(target=until_the_end, args=[connection], daemon=True)
    reader.start()
    service.upgrade("--drain", "3s")
    reader.join(harness.SECONDS)
    harness.expect(heard == [b""], f"heard {heard}")


if __name__ == "__main__":
    harness.main(ten_upgrades, who_stays_is_told)
