# SPDX-License-Identifier: Apache-2.0
"""Checks that fit every HTTP/1.1 server of the examples.

The server is started by `NAME --service SERVICE --http ADDRESS`, and says in X-Generation which
process has answered. `GET /` is "hello", `GET /body?chunks=N&ms=M` sends N times 1000 bytes with
pauses between them, and `POST /upload` answers how many bytes came.
"""

import re
import socket
import time

from .checks import expect
from .clients import Clients, kept_alive, per_request
from .http1 import REQUEST, Download, Upload, answered, curl, finish
from .network import backlog, connections, free_port, until_end
from .wrk import Wrk


def curled(port):
    """A client that runs curl for each request."""
    def client(run):
        out = finish(curl(f"http://127.0.0.1:{port}/"), "GET /")
        expect(out.endswith(b"\r\n\r\nhello\n"), f"curl got {out}")
        run.ok()
    return client


def start(service, binary):
    """Starts the server; returns its port and its pid."""
    port = free_port()
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
        service.wait_for_connections(2)
        service.upgrade("--detach", "--drain", "250s")
        uploaded = None if long_upload else upload.finish()
        with Clients(4, kept_alive(port), "kept alive") as kept, \
                Clients(2, per_request(port), "one request each") as single, \
                Clients(1, curled(port), "curl") as curls, \
                Wrk(f"{url}/") as wrk:
            service.upgrade_under(
                kept, single, curls, wrk,
                between=lambda: (uploaded or upload.proceed(), download.proceed()))
        alive = {line["generation"] for line in service.status()}
        expect(alive == {1, 12}, f"generations 1 and 12 live, and not {alive}")
        uploaded = uploaded or upload.finish()
        for name, (head, body), end in (("upload", uploaded, b"%d\n" % upload.size),
                                        ("download", download.finish(), b"x" * Download.SIZE)):
            expect(body == end, f"{name}: {len(body)} bytes: {head} {body[:100]}")
            expect(f"x-generation: {old}".encode() in head.lower(), f"{name}: {head}")
    service.wait_for_departures()
    after = backlog(port)
    expect(after == before, f"backlog {before} before the upgrades, {after} after them")


def idle_clients_do_not_read(service, port, count=100, drain="2s"):
    """Idle clients that do not read their sockets get the end, and are not cut."""
    idle = connections(port, count)
    for connection in idle:
        answered(connection)
    service.upgrade("--drain", drain)
    for connection in idle:
        expect(until_end(connection) == b"", "an idle connection does not just end")


def silent_clients_get_the_end(service, port):
    """Clients that have sent nothing, or only part of a head, get the end before the deadline."""
    silent, = connections(port, 1)
    partial, = connections(port, 1)
    partial.sendall(REQUEST[:20])
    after, = connections(port, 1)
    answered(after)
    after.sendall(REQUEST[:9])
    service.wait_for_connections(3)
    service.upgrade("--drain", "4s")
    expect(until_end(silent) == b"", "a silent connection does not just end")
    for connection in (partial, after):
        text = until_end(connection)
        expect(text.startswith(b"HTTP/1.1 408 "), f"not told that it is too late: {text}")


def half_closed(port, path="/", count=50):
    """A client that shuts down writing behind its request gets the answer, and then the end."""
    for _ in range(count):
        connection, = connections(port, 1)
        connection.sendall(REQUEST.replace(b"/", path.encode(), 1))
        connection.shutdown(socket.SHUT_WR)
        text = until_end(connection)
        expect(text.startswith(b"HTTP/1.1 200 "), f"half-closed: {text}")
    # With what came in the same packet.
    connection, = connections(port, 1)
    connection.sendall(REQUEST * 3)
    connection.shutdown(socket.SHUT_WR)
    text = until_end(connection)
    expect(text.count(b"HTTP/1.1 200 ") == 3, f"half-closed, three requests: {text}")


def pipelined(service, port, slow, count=20):
    """Requests that came before the drain are answered, and the last answer says close."""
    connection, = connections(port, 1)
    connection.sendall(REQUEST.replace(b"/", slow.encode(), 1) + REQUEST * count)
    service.wait_for_connections(1)
    service.upgrade("--detach", "--drain", "30s")
    began = time.monotonic()
    text = until_end(connection)
    took = time.monotonic() - began
    answers = re.split(b"HTTP/1.1 200 ", text)[1:]
    closes = [b"connection: close" in answer.lower() for answer in answers]
    expect(closes == [False] * count + [True], f"{len(answers)} answers, close: {closes}")
    expect(took < 14, f"closed only after {took:.1f} s")
    service.wait_for_departures()


def expect_continue(port, method, path):
    """A client that sends `Expect: 100-continue` gets 100 before it sends the body."""
    connection, = connections(port, 1)
    connection.sendall(
        f"{method} {path} HTTP/1.1\r\nHost: example\r\nContent-Length: 4\r\n"
        "Expect: 100-continue\r\n\r\n".encode())
    text = connection.recv(1000)
    expect(text.startswith(b"HTTP/1.1 100 "), f"not told to go on: {text}")
    connection.sendall(b"body")
    connection.shutdown(socket.SHUT_WR)
    text += until_end(connection)
    expect(b"HTTP/1.1 200 " in text, f"no answer behind it: {text}")
