#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/hummingbird-app: HTTP/1.1, kept alive and not, a long download and a slow upload."""

import os
import select
import signal
import socket
import subprocess

import harness
import harness_http


def ten_upgrades(service):
    harness_http.upgrades(service, "hummingbird-app")


def told_why_when_it_cannot_serve(service):
    """A program that cannot serve what it is asked to refuses, and its predecessor serves on."""
    port, old = harness_http.start(service, "hummingbird-app")
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as load, \
            socket.create_server(("127.0.0.1", 0)) as other:
        load.wait_for_progress(5)
        taken = f"tcp:127.0.0.1:{other.getsockname()[1]}"
        run = subprocess.run(
            [service.binaries / "swapctl", "upgrade", service.name, "--",
             service.binaries / "hummingbird-app", "--service", service.name, "--http", taken],
            env=service.environment, capture_output=True, text=True, timeout=60, check=False)
        harness.expect(run.returncode == 1, f"exit status 1 and not {run.returncode}: {run}")
        harness.expect(f"cannot listen on {taken}" in run.stderr, f"no reason: {run}")
        load.wait_for_progress(5)
    harness.expect(service.serving()["pid"] == old, "the predecessor serves on")


def signals(service):
    """SIGUSR2 and SIGHUP upgrade, SIGTERM drains."""
    port, pid = harness_http.start(service, "hummingbird-app")
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as load:
        for number in (signal.SIGUSR2, signal.SIGHUP):
            load.wait_for_progress(5)
            os.kill(pid, number)
            harness.until(lambda old=pid: (serving := service.serving())
                          and serving["pid"] != old and len(service.status()) == 1,
                          f"signal {number} upgrades")
            pid = service.serving()["pid"]
        load.wait_for_progress(5)
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    gone = select.select([handle], [], [], harness.SECONDS)[0]
    os.close(handle)
    harness.expect(gone, "SIGTERM has it leave")
    # For the end of the check, which stops what serves.
    harness_http.start(service, "hummingbird-app")


if __name__ == "__main__":
    harness.main(ten_upgrades, told_why_when_it_cannot_serve, signals)
