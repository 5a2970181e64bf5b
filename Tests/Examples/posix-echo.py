#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/posix-echo: a raw POSIX server under succession-load, short connections and held ones."""

import json
import socket
import subprocess

import harness


class EchoLoad:
    """succession-load's echo traffic, from the beginning of the context to its end."""

    def __init__(self, service, address):
        self.command = [service.binaries / "succession-load", "--echo", address, "--hold", "500ms",
                        "--json"]
        self.process = None
        self.report = None

    def wait_for_progress(self, _):
        """It does not say how far it is; that it runs is all that can be asked for."""
        harness.expect(self.process.poll() is None, "succession-load has ended")

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind, error, trace):
        output = self.process.communicate(timeout=harness.SECONDS)[0]
        if kind is None:
            self.report = json.loads(output)
            print(f"  succession-load: {self.report['requests']:,} served by "
                  f"{len(self.report['generations'])} generations, {self.report['failed']} failed")
            harness.expect(self.process.returncode == 0, f"succession-load: {output}")


def chatting(port):
    """A client that has a line sent back again and again, over a connection each time."""
    def client(run):
        with socket.create_connection(("127.0.0.1", port), harness.SECONDS) as connection, \
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
    with EchoLoad(service, address) as load, \
            harness.Clients(2, chatting(port), "a line each") as lines:
        service.upgrade_under(load, lines)
    served = len(load.report["generations"])
    harness.expect(served == 11, f"11 generations served and not {served}")


def a_connection_outlives_an_upgrade(service):
    port = harness.free_port()
    service.start("posix-echo", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port), harness.SECONDS) as connection:
        with connection.makefile("rwb") as lines:
            harness.expect(lines.readline().startswith(b"gen="), "no greeting")
            service.upgrade("--detach", "--drain", "30s")
            lines.write(b"still here\n")
            lines.flush()
            harness.expect(lines.readline() == b"still here\n", "the line does not come back")
    harness.until(lambda: len(service.status()) == 1, "the old generation leaves with its client")


if __name__ == "__main__":
    harness.main(ten_upgrades, a_connection_outlives_an_upgrade)
