#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/hummingbird-app: HTTP/1.1, kept alive and not, a long download and a slow upload."""

import subprocess
import tempfile

import harness

CHUNKS, PAUSE = 200, 100  # 20 s


def curl(*arguments):
    """Starts curl; it fails if the answer is not whole or its status is an error."""
    return subprocess.Popen(
        ["curl", "--silent", "--show-error", "--fail", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def curled(port):
    """A client that runs curl for each request."""
    def client(run):
        process = curl("--include", f"http://127.0.0.1:{port}/")
        out, err = process.communicate(timeout=harness.SECONDS)
        harness.expect(process.returncode == 0, f"curl: {process.returncode}: {err.decode()}")
        harness.expect(out.endswith(b"\r\n\r\nhello\n"), f"curl got {out}")
        run.ok()
    return client


def backlog(port):
    """What ss says of the length of the listener's queue."""
    lines = subprocess.run(
        ["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    harness.expect(len(lines) == 1, f"one listener on port {port} and not {lines}")
    return int(lines[0].split()[2])


def ten_upgrades(service):
    port = harness.free_port()
    old = service.start(
        "hummingbird-app", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
    before = backlog(port)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as upload:
        upload.truncate(1_000_000)
        upload.seek(0)
        download = curl("--include", f"{url}/body?chunks={CHUNKS}&ms={PAUSE}")
        # About 12 s, announced by `Expect: 100-continue`.
        slow = curl("--include", "--limit-rate", "80k", "--header", "Expect: 100-continue",
                    "--upload-file", f"/proc/{harness.os.getpid()}/fd/{upload.fileno()}",
                    "--request", "POST", f"{url}/upload")
        harness.until(
            lambda: service.serving()["connections"] >= 2, "download and upload have begun")
        service.upgrade("--detach", "--drain", "40s")
        with harness.Clients(4, harness.kept_alive(port), "kept alive") as kept, \
                harness.Clients(2, harness.per_request(port), "one request each") as single, \
                harness.Clients(1, curled(port), "curl") as curls, \
                harness.Wrk(f"{url}/") as wrk:
            service.upgrade_under(kept, single, curls, wrk)
        generations = {line["generation"] for line in service.status()}
        harness.expect(generations == {1, 12}, f"generations 1 and 12 live, and not {generations}")
        for process, name, end in (
                (slow, "upload", b"\r\n\r\n1000000\n"),
                (download, "download", b"\r\n\r\n" + b"x" * 1000 * CHUNKS)):
            out, err = process.communicate(timeout=harness.SECONDS)
            harness.expect(process.returncode == 0, f"{name}: {process.returncode}: {err.decode()}")
            harness.expect(out.endswith(end), f"{name}: {len(out)} bytes: {out[:300]}")
            harness.expect(f"X-Generation: {old}\r\n".encode() in out, f"{name}: {out[:300]}")
    harness.until(lambda: len(service.status()) == 1, "generation 1 leaves with its last client")
    after = backlog(port)
    harness.expect(after == before, f"backlog {before} before the upgrades, {after} after them")


def told_why_when_it_cannot_serve(service):
    """A program that cannot serve what it is asked to refuses, and its predecessor serves on."""
    port = harness.free_port()
    command = ["hummingbird-app", "--service", service.name, "--http"]
    old = service.start(*command, f"tcp:127.0.0.1:{port}")
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as load, \
            harness.socket.create_server(("127.0.0.1", 0)) as other:
        load.wait_for_progress(5)
        taken = f"tcp:127.0.0.1:{other.getsockname()[1]}"
        command[0] = str(service.binaries / command[0])
        run = subprocess.run(
            [service.binaries / "swapctl", "upgrade", service.name, "--", *command, taken],
            env=service.environment, capture_output=True, text=True, timeout=60, check=False)
        harness.expect(run.returncode == 1, f"exit status 1 and not {run.returncode}: {run}")
        harness.expect(f"cannot listen on {taken}" in run.stderr, f"no reason: {run}")
        load.wait_for_progress(5)
    harness.expect(service.serving()["pid"] == old, "the predecessor serves on")


def signals(service):
    """SIGUSR2 and SIGHUP upgrade, SIGTERM drains."""
    port = harness.free_port()
    pid = service.start(
        "hummingbird-app", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as load:
        for number in (harness.signal.SIGUSR2, harness.signal.SIGHUP):
            load.wait_for_progress(5)
            harness.os.kill(pid, number)
            harness.until(lambda old=pid: (serving := service.serving())
                          and serving["pid"] != old and len(service.status()) == 1,
                          f"signal {number} upgrades")
            pid = service.serving()["pid"]
        load.wait_for_progress(5)
    handle = harness.os.pidfd_open(pid)
    harness.os.kill(pid, harness.signal.SIGTERM)
    gone = harness.select.select([handle], [], [], harness.SECONDS)[0]
    harness.os.close(handle)
    harness.expect(gone, "SIGTERM has it leave")
    # For the end of the check, which stops what serves.
    service.start(
        "hummingbird-app", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")


if __name__ == "__main__":
    harness.main(ten_upgrades, told_why_when_it_cannot_serve, signals)
