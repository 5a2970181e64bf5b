#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/web: HTTP/1.1, kept alive and not, under wrk and strict clients."""

import contextlib
import heapq
import http.client
import random
import select
import socket
import threading
import time

import harness
from harness import http1_checks, network


def ten_upgrades(service):
    port, _ = http1_checks.start(service, "web")
    with harness.Clients(4, harness.kept_alive(port), "kept alive") as kept, \
            harness.Clients(2, harness.per_request(port), "one request each") as single, \
            harness.Wrk(f"http://127.0.0.1:{port}/") as wrk:
        service.upgrade_under(kept, single, wrk)


def idle_clients(service):
    port, _ = http1_checks.start(service, "web")
    http1_checks.idle_clients_do_not_read(service, port)


def silent_clients(service):
    port, _ = http1_checks.start(service, "web")
    http1_checks.silent_clients_get_the_end(service, port)


def half_closed(service):
    port, _ = http1_checks.start(service, "web")
    http1_checks.half_closed(port)
    http1_checks.half_closed(port, "/slow?ms=50", 5)
    # More than fits into the buffers on its way: what is not sent yet when the end comes.
    connection, = network.connections(port, 1)
    connection.sendall(b"GET /body?n=30000000 HTTP/1.1\r\nHost: example\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    size = len(network.until_end(connection).partition(b"\r\n\r\n")[2])
    harness.expect(size == 30_000_000, f"half-closed: {size} bytes")
    service.wait_for_connections(0)


def expect_continue(service):
    port, _ = http1_checks.start(service, "web")
    http1_checks.expect_continue(port, "POST", "/")


def pipelined(service):
    port, _ = http1_checks.start(service, "web")
    http1_checks.pipelined(service, port, "/slow?ms=1500", 500)


class DelayingRelay:
    """A network that takes a while in either direction, between its port and another one."""

    def __init__(self, port, delay):
        self.target = ("127.0.0.1", port)
        self.delay = delay
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        # What is to be delivered, and when; the number keeps the order.
        self.queue, self.number = [], 0
        self.other = {}

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        for connection in [self.listener, *self.other]:
            connection.close()

    def later(self, target, data):
        self.number += 1
        heapq.heappush(self.queue, (time.monotonic() + self.delay, self.number, target, data))

    def run(self):
        reading = {self.listener}
        while not self.stopping.is_set():
            wait = min(self.queue[0][0] - time.monotonic(), 0.1) if self.queue else 0.1
            for source in select.select(reading, [], [], max(wait, 0))[0]:
                if source is self.listener:
                    near = source.accept()[0]
                    far = socket.create_connection(self.target)
                    self.other[near], self.other[far] = far, near
                    reading |= {near, far}
                    continue
                try:
                    data = source.recv(65536)
                except ConnectionResetError:
                    data = b""
                self.later(self.other[source], data)
                if not data:
                    reading.discard(source)
            while self.queue and self.queue[0][0] <= time.monotonic():
                _, _, target, data = heapq.heappop(self.queue)
                with contextlib.suppress(OSError):
                    if data:
                        target.sendall(data)
                    else:
                        target.shutdown(socket.SHUT_WR)


def now_and_then(port, pauses):
    """A client that comes back to its connection after a while, having looked whether it is open."""
    def client(run):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.PATIENCE)
        with contextlib.closing(connection):
            while run.goes_on():
                connection.request("GET", "/")
                response = connection.getresponse()
                response.read()
                run.ok()
                if response.will_close:
                    return
                # Its end would be readable.
                if select.select([connection.sock], [], [], random.uniform(*pauses))[0]:
                    return
    return client


def far_away(service):
    """With a network between, no request of a client that comes back often meets a close."""
    port, _ = http1_checks.start(service, "web")
    with DelayingRelay(port, 0.02) as relay, \
            harness.Clients(40, now_and_then(relay.port, (0.2, 1.7)), "20 ms away") as load:
        service.upgrade_under(load, upgrades=6, each=1, options=("--drain", "2s"))


if __name__ == "__main__":
    harness.main(ten_upgrades, idle_clients, silent_clients, half_closed,
                 expect_continue, pipelined, far_away)
