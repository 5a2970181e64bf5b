# SPDX-License-Identifier: Apache-2.0
"""What the checks of HTTP/1.1 servers have in common: curl, and one check that fits them all.

The server is started by `NAME --service SERVICE --http ADDRESS`, and says in X-Generation which
process has answered. `GET /` is "hello", `GET /body?chunks=N&ms=M` sends N times 1000 bytes with
pauses between them, and `POST /upload` answers how many bytes came.
"""

import os
import subprocess
import tempfile

import harness

CHUNKS, PAUSE = 200, 100  # 20 s


def curl(*arguments):
    """Starts curl; it fails if the answer is not whole or its status is an error."""
    return subprocess.Popen(
        ["curl", "--silent", "--show-error", "--fail", "--include", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process, name):
    """Waits for curl and returns what it got."""
    out, err = process.communicate(timeout=harness.SECONDS)
    harness.expect(process.returncode == 0, f"{name}: curl: {process.returncode}: {err.decode()}")
    return out


def curled(port):
    """A client that runs curl for each request."""
    def client(run):
        out = finish(curl(f"http://127.0.0.1:{port}/"), "GET /")
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


def start(service, binary):
    """Starts the server; returns its port and its pid."""
    port = harness.free_port()
    pid = service.start(binary, "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
    return port, pid


def upgrades(service, binary):
    """Eleven upgrades under load, while a download and a slow upload go on in the first generation."""
    port, old = start(service, binary)
    before = backlog(port)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as content:
        content.truncate(1_000_000)
        download = curl(f"{url}/body?chunks={CHUNKS}&ms={PAUSE}")
        # About 12 s, announced by `Expect: 100-continue`.
        upload = curl("--limit-rate", "80k", "--header", "Expect: 100-continue",
                      "--upload-file", f"/proc/{os.getpid()}/fd/{content.fileno()}",
                      "--request", "POST", f"{url}/upload")
        harness.until(
            lambda: service.serving()["connections"] >= 2, "download and upload have begun")
        service.upgrade("--detach", "--drain", "40s")
        with harness.Clients(4, harness.kept_alive(port), "kept alive") as kept, \
                harness.Clients(2, harness.per_request(port), "one request each") as single, \
                harness.Clients(1, curled(port), "curl") as curls, \
                harness.Wrk(f"{url}/") as wrk:
            service.upgrade_under(kept, single, curls, wrk)
        alive = {line["generation"] for line in service.status()}
        harness.expect(alive == {1, 12}, f"generations 1 and 12 live, and not {alive}")
        for process, name, end in ((upload, "upload", b"1000000\n"),
                                   (download, "download", b"x" * 1000 * CHUNKS)):
            head, _, body = finish(process, name).rpartition(b"\r\n\r\n")
            harness.expect(body == end, f"{name}: {len(body)} bytes: {head} {body[:100]}")
            harness.expect(f"X-Generation: {old}".encode() in head, f"{name}: {head}")
    harness.until(lambda: len(service.status()) == 1, "generation 1 leaves with its last client")
    after = backlog(port)
    harness.expect(after == before, f"backlog {before} before the upgrades, {after} after them")
