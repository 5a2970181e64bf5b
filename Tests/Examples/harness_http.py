# SPDX-License-Identifier: Apache-2.0
"""What the checks of HTTP/1.1 servers have in common: curl, and one check that fits them all.

The server is started by `NAME --service SERVICE --http ADDRESS`, and says in X-Generation which
process has answered. `GET /` is "hello", `GET /body?chunks=N&ms=M` sends N times 1000 bytes with
pauses between them, and `POST /upload` answers how many bytes came.
"""

import re
import socket
import subprocess
import threading
import time

import harness


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


def upgrades(service, binary, long_upload=True):
    """Eleven upgrades under load, while a download and an upload go on in the first generation.

    Both last as long as the upgrades do, however long that is: the check decides when more is sent,
    and when more is read. Where the server limits the time of a request the upload ends earlier.
    """
    port, old = start(service, binary)
    before = backlog(port)
    url = f"http://127.0.0.1:{port}"
    with Upload(port) as upload, Download(port) as download:
        harness.until(
            lambda: service.serving()["connections"] >= 2, "download and upload have begun")
        service.upgrade("--detach", "--drain", "250s")
        uploaded = None if long_upload else upload.finish()
        with harness.Clients(4, harness.kept_alive(port), "kept alive") as kept, \
                harness.Clients(2, harness.per_request(port), "one request each") as single, \
                harness.Clients(1, curled(port), "curl") as curls, \
                harness.Wrk(f"{url}/") as wrk:
            service.upgrade_under(
                kept, single, curls, wrk,
                between=lambda: (uploaded or upload.proceed(), download.proceed()))
        alive = {line["generation"] for line in service.status()}
        harness.expect(alive == {1, 12}, f"generations 1 and 12 live, and not {alive}")
        uploaded = uploaded or upload.finish()
        for name, (head, body), end in (("upload", uploaded, b"%d\n" % upload.size),
                                        ("download", download.finish(), b"x" * Download.SIZE)):
            harness.expect(body == end, f"{name}: {len(body)} bytes: {head} {body[:100]}")
            harness.expect(f"x-generation: {old}".encode() in head.lower(), f"{name}: {head}")
    harness.until(lambda: len(service.status()) == 1, "generation 1 leaves with its last client")
    after = backlog(port)
    harness.expect(after == before, f"backlog {before} before the upgrades, {after} after them")


class Upload:
    """A POST whose body goes on until it is finished."""

    PART = b"y" * 10_000

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), harness.SECONDS)
        self.connection.sendall(
            b"POST /upload HTTP/1.1\r\nHost: example\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
        self.size = 0
        self.proceed()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def proceed(self):
        self.connection.sendall(b"%x\r\n%s\r\n" % (len(self.PART), self.PART))
        self.size += len(self.PART)

    def finish(self):
        self.connection.sendall(b"0\r\n\r\n")
        head, _, body = until_end(self.connection).partition(b"\r\n\r\n")
        return head, dechunked(head, body)


class Download:
    """A GET whose response is larger than all buffers on its way, and read bit by bit."""

    SIZE = 12_000_000

    def __init__(self, port):
        self.connection = socket.socket()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.connection.settimeout(harness.SECONDS)
        self.connection.connect(("127.0.0.1", port))
        self.connection.sendall(
            b"GET /body?chunks=%d&ms=0 HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n"
            % (self.SIZE // 1000))
        self.parts = []
        self.proceed()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def proceed(self):
        part = self.connection.recv(50_000)
        harness.expect(part, "the download ends early")
        self.parts.append(part)

    def finish(self):
        self.parts.append(until_end(self.connection))
        head, _, body = b"".join(self.parts).partition(b"\r\n\r\n")
        return head, dechunked(head, body)


def dechunked(head, body):
    """The body as it was before it was sent in chunks."""
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    whole, start = [], 0
    while start < len(body):
        end = body.index(b"\r\n", start)
        count = int(body[start:end], 16)
        whole.append(body[end + 2:end + 2 + count])
        start = end + count + 4
    return b"".join(whole)


REQUEST = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"


def connections(port, count):
    return [socket.create_connection(("127.0.0.1", port), harness.SECONDS) for _ in range(count)]


def until_end(connection):
    """Everything that comes until the server closes; a reset is an error."""
    with connection:
        connection.settimeout(harness.SECONDS)
        text = b""
        while more := connection.recv(65536):
            text += more
        return text


def answered(connection):
    """Asks once, and reads the answer."""
    connection.sendall(REQUEST)
    text = b""
    while not text.endswith(b"hello\n"):
        more = connection.recv(1000)
        harness.expect(more, f"no answer: {text}")
        text += more
    return text


def nobody_looks(service, port, count=100, drain="2s"):
    """Clients that look at their sockets only when they need them are told, and not cut."""
    idle = connections(port, count)
    for connection in idle:
        answered(connection)
    service.upgrade("--drain", drain)
    for connection in idle:
        harness.expect(until_end(connection) == b"", "an idle connection does not just end")


def silent_ends(service, port):
    """Who has sent nothing, or a part of a head and no more, is let go before the deadline."""
    silent, = connections(port, 1)
    partial, = connections(port, 1)
    partial.sendall(REQUEST[:20])
    after, = connections(port, 1)
    answered(after)
    after.sendall(REQUEST[:9])
    harness.until(lambda: service.serving()["connections"] == 3, "all are taken")
    service.upgrade("--drain", "4s")
    harness.expect(until_end(silent) == b"", "a silent connection does not just end")
    for connection in (partial, after):
        text = until_end(connection)
        harness.expect(text.startswith(b"HTTP/1.1 408 "), f"not told that it is too late: {text}")


def half_closed(port, path="/", count=50):
    """A client that shuts down writing behind its request gets the answer, and then the end."""
    for _ in range(count):
        connection, = connections(port, 1)
        connection.sendall(REQUEST.replace(b"/", path.encode(), 1))
        connection.shutdown(socket.SHUT_WR)
        text = until_end(connection)
        harness.expect(text.startswith(b"HTTP/1.1 200 "), f"half-closed: {text}")
    # With what came in the same packet.
    connection, = connections(port, 1)
    connection.sendall(REQUEST * 3)
    connection.shutdown(socket.SHUT_WR)
    text = until_end(connection)
    harness.expect(text.count(b"HTTP/1.1 200 ") == 3, f"half-closed, three requests: {text}")


def pipelined(service, port, slow, count=20):
    """What had come before the drain is answered, and the last answer says close."""
    connection, = connections(port, 1)
    connection.sendall(REQUEST.replace(b"/", slow.encode(), 1) + REQUEST * count)
    harness.until(lambda: service.serving()["connections"] == 1, "it is taken")
    service.upgrade("--detach", "--drain", "30s")
    began = time.monotonic()
    text = until_end(connection)
    took = time.monotonic() - began
    answers = re.split(b"HTTP/1.1 200 ", text)[1:]
    closes = [b"connection: close" in answer.lower() for answer in answers]
    harness.expect(closes == [False] * count + [True], f"{len(answers)} answers, close: {closes}")
    harness.expect(took < 14, f"closed only after {took:.1f} s")
    harness.until(lambda: len(service.status()) == 1, "the old generation leaves")


def expect_continue(port, method, path):
    """A client that asks whether to go on is told so, and not left to guess."""
    connection, = connections(port, 1)
    connection.sendall(
        f"{method} {path} HTTP/1.1\r\nHost: example\r\nContent-Length: 4\r\n"
        "Expect: 100-continue\r\n\r\n".encode())
    text = connection.recv(1000)
    harness.expect(text.startswith(b"HTTP/1.1 100 "), f"not told to go on: {text}")
    connection.sendall(b"body")
    connection.shutdown(socket.SHUT_WR)
    text += until_end(connection)
    harness.expect(b"HTTP/1.1 200 " in text, f"no answer behind it: {text}")
