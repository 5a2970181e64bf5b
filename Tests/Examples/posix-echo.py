#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/posix-echo: a raw POSIX server under succession-load, short connections and held ones."""

import socket

import harness
from harness.load import Load


def chatting(port):
    """A client that has a line sent back again and again, over a connection each time."""
    def client(run):
        with socket.create_connection(("127.0.0.1", port), harness.PATIENCE) as connection, \
                connection.makefile("rwb") as lines:
            greeting = lines.readline()
            harness.expect(greeting.startswith(b"gen="), f"greeted with {greeting}")
            lines.write(b"a line\n")
            lines.flush()
            answer = lines.readline()
            harness.expect(answer == b"a line\n", f"{answer} came back")
            run.ok(greeting[4:].strip().decode())
    return client


def ten_upgrades(service):
    port = harness.free_port()
    address = f"tcp:127.0.0.1:{port}"
    service.start("posix-echo", "--service", service.name, "--listen", address)
    program = service.binaries / "succession-load"
    with Load(program, "--echo", address, "--hold", "500ms") as load, \
            harness.Clients(2, chatting(port), "a line each") as lines:
        service.upgrade_under(load, lines)
    served = len(load.generations)
    harness.expect(served == 11, f"11 generations served and not {served}")


def a_connection_outlives_an_upgrade(service):
    port = harness.free_port()
    service.start("posix-echo", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port), harness.PATIENCE) as connection:
        with connection.makefile("rwb") as lines:
            harness.expect(lines.readline().startswith(b"gen="), "no greeting")
            service.upgrade("--detach", "--drain", "30s")
            lines.write(b"still here\n")
            lines.flush()
            harness.expect(lines.readline() == b"still here\n", "the line does not come back")
    service.wait_for_departures()


if __name__ == "__main__":
    harness.main(ten_upgrades, a_connection_outlives_an_upgrade)
