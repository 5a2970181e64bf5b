#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/hummingbird-app: HTTP/1.1, kept alive and not, a long download and a slow upload."""

import select
import signal
import socket
import ssl
import subprocess
import threading
import time

import harness
from harness import http1, http1_checks, network
from harness.commands import make_certificate
from harness.processes import Process


LIMIT = 200


def ten_upgrades(service):
    http1_checks.upgrades(service, "hummingbird-app")
    # What requests need is there until the last is answered.
    log = service.log.read_text(errors="replace").splitlines()
    drained = [number for number, line in enumerate(log) if "drained, 0 connections cut" in line]
    closed = [number for number, line in enumerate(log) if line == "the pool is closed"]
    harness.expect(len(drained) == 11 and len(closed) == 11, f"{drained} {closed}")
    harness.expect(all(a < b for a, b in zip(drained, closed)), f"{drained} {closed}")


def start_with_tls(service):
    """Starts it with a certificate for 127.0.0.1; returns the port and the certificate's path."""
    certificate, key = make_certificate(service.directory)
    port = harness.free_port()
    service.start("hummingbird-app", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}",
                  "--certificate", certificate, "--key", key)
    return port, certificate


def curl_over_tls(port, certificate, version):
    """A client that runs curl for 100 requests, on one connection as long as it lasts."""
    def client(run):
        process = http1.curl(
            "--cacert", certificate, f"--http{version}", "--output", "/dev/null",
            "--write-out", "%{http_code} %{http_version} %{size_download}\n",
            f"https://127.0.0.1:{port}/?[1-100]")
        lines = http1.finish(process, version).decode().split("\n")[:-1]
        wrong = [line for line in lines if line.split()[:2] != ["200", version]]
        harness.expect(len(lines) == 100 and not wrong, f"{len(lines)} lines, wrong: {wrong[:3]}")
        run.ok()
    return client


class IdleHTTP2:
    """An HTTP/2 connection without a stream; it acknowledges what it is asked to, or does nothing."""

    def __init__(self, port, certificate):
        context = ssl.create_default_context(cafile=certificate)
        context.set_alpn_protocols(["h2"])
        self.connection = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), harness.PATIENCE),
            server_hostname="127.0.0.1")
        self.connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(4, 0))
        self.kinds = [self.read()[0]]

    @staticmethod
    def frame(kind, flags, payload=b""):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags, 0, 0, 0, 0]) + payload

    def read(self):
        """The kind, the flags and the payload of the next frame; None at the end."""
        with_head = self.exactly(9)
        if not with_head:
            return None
        return with_head[3], with_head[4], self.exactly(int.from_bytes(with_head[:3], "big"))

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                break
            data += more
        return data

    def acknowledge(self):
        """Reads until the server closes."""
        while frame := self.read():
            kind, flags, payload = frame
            self.kinds.append(kind)
            if kind == 6 and not flags & 1:
                self.connection.sendall(self.frame(6, 1, payload))


def tls(service):
    """HTTP/2 and HTTP/1.1 over TLS; an idle HTTP/2 connection gets GOAWAY."""
    port, certificate = start_with_tls(service)
    idle = IdleHTTP2(port, certificate)
    reader = threading.Thread(target=idle.acknowledge, daemon=True)
    reader.start()
    with harness.Clients(2, curl_over_tls(port, certificate, "2"), "h2") as h2, \
            harness.Clients(2, curl_over_tls(port, certificate, "1.1"), "h1") as h1:
        service.upgrade_under(h1, h2, each=1)
    reader.join(harness.PATIENCE)
    harness.expect(not reader.is_alive(), "the idle connection is not closed")
    harness.expect(idle.kinds[0] == 4 and 7 in idle.kinds, f"no GOAWAY among {idle.kinds}")
    idle.connection.close()


def tls_without_a_request(service):
    """Connections without a request end before the deadline."""
    port, certificate = start_with_tls(service)
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["http/1.1"])
    silent = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    agreed = context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), harness.PATIENCE),
        server_hostname="127.0.0.1")

    def until_the_end(connection):
        with connection:
            connection.recv(1)

    readers = [threading.Thread(target=until_the_end, args=[connection], daemon=True)
               for connection in (silent, agreed)]
    for reader in readers:
        reader.start()
    service.wait_for_connections(2)
    service.upgrade("--drain", "4s")


def tls_is_cut(service):
    """A client that does not go on does not keep a generation alive."""
    port, certificate = start_with_tls(service)
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["http/1.1"])
    with context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), harness.PATIENCE),
            server_hostname="127.0.0.1") as stuck:
        stuck.sendall(b"POST /upload HTTP/1.1\r\nHost: stuck\r\nContent-Length: 10\r\n\r\n")
        harness.until(lambda: [entry["protocol"] for entry in service.serving()["oldest"]]
                      == ["http/1.1"], "it is taken")
        service.upgrade("--drain", "1s", status=2, cut=1)
    log = service.log.read_text(errors="replace")
    harness.expect("still running" not in log and "the pool is closed" in log,
                   "it has not come to its end by itself")


def tls_idle_clients(service):
    """Clients that do not read their sockets, or answer nothing, get the end and are not cut."""
    port, certificate = start_with_tls(service)
    idle = [IdleHTTP2(port, certificate) for _ in range(5)]
    context = ssl.create_default_context(cafile=certificate)
    kept = []
    for _ in range(20):
        connection = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), harness.PATIENCE),
            server_hostname="127.0.0.1")
        http1.answered(connection)
        kept.append(connection)
    began = time.monotonic()
    service.upgrade("--drain", "6s")
    harness.expect(time.monotonic() - began < 7.5, "the drain goes on behind its deadline")
    for connection in kept:
        harness.expect(network.until_end(connection) == b"", "it does not just end")
    for client in idle:
        client.connection.close()


def idle_clients(service):
    port, _ = http1_checks.start(service, "hummingbird-app")
    http1_checks.idle_clients_do_not_read(service, port)


def silent_clients(service):
    port, _ = http1_checks.start(service, "hummingbird-app")
    http1_checks.silent_clients_get_the_end(service, port)


def half_closed(service):
    port, _ = http1_checks.start(service, "hummingbird-app")
    http1_checks.half_closed(port)
    service.wait_for_connections(0)


def pipelined(service):
    port, _ = http1_checks.start(service, "hummingbird-app")
    http1_checks.pipelined(service, port, "/body?chunks=10&ms=150")


def connections_are_limited(service):
    """The application's own limit holds, and a generation that is full hands over all the same."""
    port, _ = http1_checks.start(service, "hummingbird-app")
    request = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
    full = [socket.create_connection(("127.0.0.1", port), harness.PATIENCE) for _ in range(LIMIT)]
    service.wait_for_connections(LIMIT)
    # A few are taken at once when there is room for one.
    more = [socket.create_connection(("127.0.0.1", port), harness.PATIENCE) for _ in range(20)]
    for connection in more:
        connection.sendall(request)
    waiting = more[-1]
    harness.expect(not select.select([waiting], [], [], 0.3)[0], "more than the limit are served")
    taken = service.serving()["connections"]
    harness.expect(LIMIT <= taken < LIMIT + 20, f"{taken} connections are taken")
    for connection in full[:40]:
        connection.close()
    for connection in more:
        connection.settimeout(harness.PATIENCE)
        harness.expect(connection.recv(1000).endswith(b"hello\n"), "one that waited is not served")
    late = [socket.create_connection(("127.0.0.1", port), harness.PATIENCE) for _ in range(40)]
    late[-1].sendall(request)
    service.upgrade("--detach", "--drain", "30s")
    late[-1].settimeout(harness.PATIENCE)
    harness.expect(late[-1].recv(1000).endswith(b"hello\n"), "the successor does not serve it")
    for connection in full + more + late:
        connection.close()
    service.wait_for_departures()


def in_a_service_group(service):
    """When the generation has drained, a group of the user's own ends with it, without an error."""
    port = harness.free_port()
    service.start("hummingbird-app", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}",
                  "--in-group")
    first = service.first
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as load:
        service.upgrade_under(load, upgrades=1)
    status = first.wait(harness.PATIENCE)
    log = service.log.read_text(errors="replace")
    harness.expect(status == 0, f"exit status {status}: {log}")
    harness.expect("the pool is closed" in log, "the other service was not ended")


def refuses_with_the_reason_when_it_cannot_serve(service):
    """A program that cannot serve what it is asked to refuses, and its predecessor serves on."""
    port, old = http1_checks.start(service, "hummingbird-app")
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
    """SIGUSR2 upgrades, SIGTERM drains."""
    port, pid = http1_checks.start(service, "hummingbird-app")
    with harness.Clients(2, harness.kept_alive(port), "kept alive") as load:
        for number in (signal.SIGUSR2, signal.SIGUSR2):
            load.wait_for_progress(5)
            with Process(pid) as predecessor:
                predecessor.signal(number)
                predecessor.wait()
            pid = service.serving()["pid"]
        load.wait_for_progress(5)
    with Process(pid) as last:
        last.signal(signal.SIGTERM)
        last.wait()
    # For the end of the check, which stops what serves.
    http1_checks.start(service, "hummingbird-app")


if __name__ == "__main__":
    harness.main(ten_upgrades, tls, tls_without_a_request, tls_is_cut, tls_idle_clients,
                 idle_clients, silent_clients, half_closed, pipelined,
                 connections_are_limited, in_a_service_group,
                 refuses_with_the_reason_when_it_cannot_serve, signals)
