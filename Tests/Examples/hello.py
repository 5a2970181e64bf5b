#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/nio-servers, hello: a server that is one call, its signals, and its backlog."""

import os
import signal
import subprocess

import harness


def start(service):
    port = harness.free_port()
    return port, service.start("hello", service.name, f"tcp:127.0.0.1:{port}")


def backlog(port):
    """The length of the listener's queue, as ss shows it (Send-Q)."""
    lines = subprocess.run(
        ["ss", "--tcp", "--listening", "--numeric", "--no-header", f"sport = :{port}"],
        check=True, capture_output=True, text=True).stdout.splitlines()
    harness.expect(len(lines) == 1, f"ss: {lines}")
    return int(lines[0].split()[2])


def twenty_upgrades(service):
    port, _ = start(service)
    before = backlog(port)
    # What NIO sets when it is left alone.
    harness.expect(before != 128, "the backlog is NIO's from the beginning")
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as kept, \
            harness.Wrk(f"http://127.0.0.1:{port}/") as wrk:
        service.upgrade_under(kept, wrk, upgrades=20)
    after = backlog(port)
    harness.expect(after == before, f"the backlog was {before} and is {after}")


def signals(service):
    port, pid = start(service)
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as load:
        for number in (signal.SIGUSR2, signal.SIGUSR2):
            load.wait_for_progress(5)
            os.kill(pid, number)

            def successor(old=pid):
                serving = service.serving()
                return serving and serving["pid"] != old and serving["pid"]

            pid = harness.until(successor, f"a successor after signal {number}")
        load.wait_for_progress(5)

    os.kill(pid, signal.SIGTERM)
    harness.until(lambda: not service.processes(), "SIGTERM ends the last generation", 20)
    harness.expect("drained, 0 connections cut" in service.log.read_text().splitlines()[-1], "log")
    start(service)


def interrupt(service):
    """SIGINT does not wait for connections."""
    port, pid = start(service)
    with harness.socket.create_connection(("127.0.0.1", port)) as idle:
        harness.until(lambda: service.serving()["connections"] == 1, "a connection")
        os.kill(pid, signal.SIGINT)
        harness.expect(idle.recv(1) == b"", "the end of the connection")
        harness.until(lambda: not service.processes(), "SIGINT ends the generation", 20)
    start(service)


if __name__ == "__main__":
    harness.main(twenty_upgrades, signals, interrupt)
