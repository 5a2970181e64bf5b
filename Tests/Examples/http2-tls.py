#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/nio-servers, http2-tls: HTTP/2 and HTTP/1.1 over TLS.

The client of ten_upgrades is written here from hpack and hyperframe because it has to do exactly
what RFC 9113 §6.8 asks of one: go on with its streams after GOAWAY, open no new ones, connect
again. Of the common ones, PyPI's h2 (and with it httpx) gives up all streams at GOAWAY, and h2load
never connects again; curl does what it should, and is used too.
"""

import contextlib
import json
import re
import socket
import ssl
import subprocess
import time

import hpack
from hyperframe import frame as frames

import harness
from harness.commands import make_certificate

STREAMS = 8


def start(service):
    """Starts the example with a certificate of its own; returns the port and the certificate."""
    port = harness.free_port()
    certificate, key = make_certificate(service.directory)
    service.start(
        "http2-tls", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}",
        "--certificate", certificate, "--key", key)
    return port, certificate


def connect(port, certificate, protocol):
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols([protocol])
    raw = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    connection = context.wrap_socket(raw, server_hostname="127.0.0.1")
    harness.expect(connection.selected_alpn_protocol() == protocol, "the wrong protocol")
    return connection


class HTTP2:
    """One connection that keeps so many streams open until GOAWAY."""

    def __init__(self, connection, path="/"):
        self.connection = connection
        self.path = path
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.open = {}
        self.last = -1
        self.is_leaving = False
        self.uncredited = 0
        self.out = bytearray(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames.SettingsFrame().serialize())
        self.buffer = b""

    def request(self):
        self.last += 2
        block = self.encoder.encode([
            (":method", "GET"), (":scheme", "https"), (":authority", "test"),
            (":path", self.path)])
        self.out += frames.HeadersFrame(
            self.last, block, flags=["END_HEADERS", "END_STREAM"]).serialize()
        self.open[self.last] = None

    def flush(self):
        self.connection.sendall(self.out)
        self.out.clear()

    def frames(self):
        """The frames that have come, waiting for some; none at end-of-file."""
        data = self.connection.recv(65536)
        self.buffer += data
        found = []
        while len(self.buffer) >= 9:
            frame, length = frames.Frame.parse_frame_header(memoryview(self.buffer[:9]))
            if len(self.buffer) < 9 + length:
                break
            frame.parse_body(memoryview(self.buffer[9:9 + length]))
            self.buffer = self.buffer[9 + length:]
            found.append(frame)
        return found if data else None

    def handle(self, frame, run):
        if isinstance(frame, frames.SettingsFrame) and "ACK" not in frame.flags:
            self.out += frames.SettingsFrame(flags=["ACK"]).serialize()
        elif isinstance(frame, frames.PingFrame) and "ACK" not in frame.flags:
            self.out += frames.PingFrame(0, frame.opaque_data, flags=["ACK"]).serialize()
        elif isinstance(frame, frames.GoAwayFrame):
            harness.expect(frame.error_code == 0, f"GOAWAY with error {frame.error_code}")
            refused = [stream for stream in self.open if stream > frame.last_stream_id]
            harness.expect(not refused, f"GOAWAY refuses {len(refused)} requests")
            self.is_leaving = True
        elif isinstance(frame, frames.RstStreamFrame):
            raise harness.Failed(f"stream {frame.stream_id} reset: {frame.error_code}")
        elif isinstance(frame, (frames.HeadersFrame, frames.DataFrame)):
            if isinstance(frame, frames.HeadersFrame):
                headers = dict(self.decoder.decode(frame.data))
                harness.expect(headers[":status"] == "200", f"status {headers[':status']}")
                self.open[frame.stream_id] = headers["x-generation"]
            else:
                self.uncredited += frame.flow_controlled_length
            if "END_STREAM" in frame.flags:
                run.ok(self.open.pop(frame.stream_id))
        if self.uncredited > 16_384:
            self.out += frames.WindowUpdateFrame(0, window_increment=self.uncredited).serialize()
            self.uncredited = 0


def multiplexed(port, certificate):
    """Streams as fast as they are answered, on one connection after the other."""
    def client(run):
        with contextlib.closing(connect(port, certificate, "h2")) as connection:
            session = HTTP2(connection)
            while session.open or not session.is_leaving:
                if not run.goes_on():
                    session.is_leaving = True
                while len(session.open) < STREAMS and not session.is_leaving:
                    session.request()
                session.flush()
                received = session.frames()
                harness.expect(received is not None, f"closed with {len(session.open)} requests")
                for frame in received:
                    session.handle(frame, run)
            if run.goes_on():
                session.flush()
                while session.frames() is not None:
                    pass
    return client


def curl(port, certificate, *options):
    return ["curl", "--silent", "--show-error", "--cacert", certificate, "--max-time", "60",
            *options, f"https://127.0.0.1:{port}"]


def parallel_curl(port, certificate):
    """curl, 100 requests at a time on as few connections as it likes."""
    def client(run):
        command = curl(
            port, certificate, "--http2", "--parallel", "--parallel-max", "10",
            "--output", "/dev/null", "--write-out", "%{http_code} %{http_version} %{exitcode}\n")
        command[-1] += "/?[1-100]"
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        bad = [line for line in lines if line != "200 2 0"]
        harness.expect(len(lines) == 100 and not bad, f"curl: {bad[:3]} {done.stderr[:200]}")
        run.ok()
    return client


def ten_upgrades(service):
    port, certificate = start(service)
    with harness.Clients(2, multiplexed(port, certificate), "HTTP/2") as streams, \
            harness.Clients(1, parallel_curl(port, certificate), "curl --http2") as curls:
        service.upgrade_under(streams, each=50)
        curls.wait_for_progress(1)


def h2load_across_an_upgrade(service):
    """h2load never connects again: each of its slots fails when it wants a stream after GOAWAY.

    What it had sent before is answered; no request fails but one for each slot.
    """
    port, _ = start(service)
    clients, streams = 4, 8
    with subprocess.Popen(
            ["h2load", "--duration=2", "-c", str(clients), "-m", str(streams),
             f"https://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True) as h2load:
        service.wait_for_connections(clients)
        service.upgrade("--drain", "20s")
        output = h2load.communicate(timeout=60)[0]
    counts = next(line for line in output.splitlines() if line.startswith("requests:"))
    numbers = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", counts)}
    failed = numbers["started"] - numbers["succeeded"]
    # A connection that has GOAWAY before its first request starts none.
    harness.expect(failed <= clients * streams and failed % streams == 0, counts)
    harness.expect(numbers["timeout"] == 0 and numbers["succeeded"] > 0, counts)


def slow_clients(service):
    """What began before the upgrade is served to its end by the generation that began it."""
    port, certificate = start(service)
    pid = service.serving()["pid"]
    upload = service.directory / "upload"
    upload.write_bytes(b"x" * 1_200_000)
    # About 6 s, of which an upgrade takes little on a loaded machine too.
    begun = [
        subprocess.Popen(
            curl(port, certificate, version, "--upload-file", upload, "--limit-rate", "200k",
                 "--header", "Expect: 100-continue", "--dump-header", service.directory / version),
            stdout=subprocess.PIPE, text=True)
        for version in ("--http1.1", "--http2")]
    stream = HTTP2(connect(port, certificate, "h2"), "/slow?ms=4000")
    stream.request()
    stream.flush()
    drip = connect(port, certificate, "http/1.1")
    request = b"GET / HTTP/1.1\r\nHost: drip\r\n\r\n"
    drip.sendall(request[:10])
    service.wait_for_connections(4)
    # Both uploads have been told to go on.
    for version in ("--http1.1", "--http2"):
        path = service.directory / version
        harness.until(lambda: path.exists() and " 100" in path.read_text(), f"100 for {version}")

    service.upgrade("--detach", "--drain", "20s")
    protocols = sorted(entry["protocol"] for entry in service.status()[-1]["oldest"])
    harness.expect(protocols == ["h2", "h2", "http/1.1", "http/1.1"], f"status: {protocols}")
    for byte in request[10:]:
        drip.sendall(bytes([byte]))
    answer = drip.recv(65536)
    harness.expect(answer.startswith(b"HTTP/1.1 200") and f"X-Generation: {pid}".encode() in answer
                   and b"Connection: close" in answer, f"dripped headers: {answer}")
    drip.close()
    load = harness.Clients(1, None, "/slow")
    while stream.open:
        for frame in stream.frames() or []:
            stream.handle(frame, load.runs[0])
        stream.flush()
    harness.expect(load.generations == {str(pid)}, f"/slow by {load.generations}")
    stream.connection.close()
    for upload in begun:
        text = upload.communicate(timeout=60)[0]
        harness.expect((upload.returncode, text) == (0, "1200000 bytes\n"), f"upload: {text}")
    service.wait_for_departures()
    harness.expect("[1] drained, 0 connections cut" in service.log.read_text(), "something was cut")


def drain_deadline(service):
    """Connections of clients that never leave are shown, then cut, counted and logged."""
    port, certificate = start(service)
    deaf = HTTP2(connect(port, certificate, "h2"), "/slow?ms=60000")
    deaf.request()
    deaf.flush()
    stuck = connect(port, certificate, "http/1.1")
    stuck.sendall(b"POST / HTTP/1.1\r\nHost: stuck\r\nContent-Length: 10\r\n\r\n")
    harness.until(
        lambda: sorted(entry["protocol"] for entry in service.serving()["oldest"])
        == ["h2", "http/1.1"], "both connections")
    swapctl = subprocess.Popen(
        [service.binaries / "swapctl", "upgrade", service.name, "--json", "--drain", "1500ms"],
        env=service.environment, stdout=subprocess.PIPE, text=True)
    old = harness.until(
        lambda: next((line for line in service.status() if line["state"] == "draining"), None),
        "a draining generation")
    harness.expect(old["connections"] == 2 and 0 < old["remaining_ms"] <= 1500, f"status: {old}")
    began = time.monotonic()
    result = json.loads(swapctl.communicate(timeout=60)[0].splitlines()[-1])
    harness.expect((swapctl.returncode, result["cut"], result["departure"]) == (2, 2, "left"),
                   f"upgrade: {result}")
    harness.expect(time.monotonic() - began < 10, "it took too long")
    harness.expect("cut 2 connections (h2 127" in service.log.read_text()
                   or "cut 2 connections (http/1.1 127" in service.log.read_text(), "no log")


def idle_clients_do_not_read(service):
    """Clients without a request get GOAWAY or the end in time and are not cut, whether they read or not."""
    port, certificate = start(service)
    # Before TLS, in the middle of its handshake, and behind it without the preface.
    silent = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    begun = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    begun.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    agreed = connect(port, certificate, "h2")
    deaf = HTTP2(connect(port, certificate, "h2"))
    deaf.flush()
    kept = [connect(port, certificate, "http/1.1") for _ in range(50)]
    for connection in kept:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        heard = b""
        while not heard.endswith(b"bytes\n"):
            heard += connection.recv(1000)
    service.wait_for_connections(54)
    began = time.monotonic()
    service.upgrade("--drain", "6s")
    harness.expect(time.monotonic() - began < 7.5, "the drain goes on behind its deadline")
    for connection in kept:
        with connection:
            harness.expect(connection.recv(1) == b"", "an idle connection does not just end")
    told = []
    while (received := deaf.frames()) is not None:
        told += [frame.last_stream_id for frame in received
                 if isinstance(frame, frames.GoAwayFrame)]
    harness.expect(told == [2**31 - 1, 0], f"GOAWAY: {told}")
    for connection in (silent, begun, agreed, deaf.connection):
        connection.close()


def half_closed(service):
    """A client that ends its side of TLS behind its request gets the answer."""
    port, certificate = start(service)
    asking = [connect(port, certificate, "http/1.1") for _ in range(20)]
    for connection in asking:
        # OpenSSL does not let a client end its side when an answer has come that it has not read.
        connection.sendall(b"GET /slow?ms=1000 HTTP/1.1\r\nHost: test\r\n\r\n")
        # Sends close_notify, and does not wait for the server's.
        connection.settimeout(0)
        with contextlib.suppress(ssl.SSLError, OSError):
            connection.unwrap()
    for connection in asking:
        with connection:
            connection.settimeout(harness.PATIENCE)
            raw = b""
            with contextlib.suppress(ssl.SSLError):
                while more := connection.recv(1000):
                    raw += more
            harness.expect(raw.startswith(b"HTTP/1.1 200 "), f"half-closed: {raw}")
    service.wait_for_connections(0)


if __name__ == "__main__":
    harness.main(ten_upgrades, h2load_across_an_upgrade, slow_clients, drain_deadline,
                 idle_clients_do_not_read, half_closed)
