#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/nio-servers, hello: a server that is one call, its signals, and its backlog."""

import os
import signal
import socket

import harness
from harness import http1_checks
from harness.network import backlog
from harness.processes import Process


def start(service):
    port = harness.free_port()
    return port, service.start("hello", service.name, f"tcp:127.0.0.1:{port}")


def twenty_upgrades(service):
    port, _ = start(service)
    before = backlog(port)
    # NIO's default.
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
            with Process(pid) as predecessor:
                predecessor.signal(number)
                predecessor.wait()
            pid = service.serving()["pid"]
        load.wait_for_progress(5)

    os.kill(pid, signal.SIGTERM)
    service.wait_for_end(20)
    harness.expect("drained, 0 connections cut" in service.log.read_text().splitlines()[-1], "log")
    start(service)


def interrupt(service):
    """SIGINT does not wait for connections."""
    port, pid = start(service)
    with socket.create_connection(("127.0.0.1", port)) as idle:
        service.wait_for_connections(1)
        os.kill(pid, signal.SIGINT)
        harness.expect(idle.recv(1) == b"", "the end of the connection")
        service.wait_for_end(20)
    start(service)


def half_closed(service):
    port, _ = start(service)
    http1_checks.half_closed(port)


def expect_continue(service):
    port, _ = start(service)
    http1_checks.expect_continue(port, "POST", "/")


if __name__ == "__main__":
    harness.main(twenty_upgrades, signals, interrupt, half_closed, expect_continue)
