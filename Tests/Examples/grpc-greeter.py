#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/grpc-greeter under grpcio: unary calls, a long upload, a long download, and the deadline."""

import contextlib
import json
import queue
import re
import socket
import ssl
import struct
import time

import grpc
import h2.connection
import h2.events
import harness
from harness.commands import make_certificate

# As a service config of a name server would say it.
RETRIES = [("grpc.service_config", json.dumps({"methodConfig": [{
    "name": [{}],
    "retryPolicy": {
        "maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]}}]}))]
# What a client does that was not told anything: only calls that no server has seen are tried again.
NO_POLICY = []


class Greeter:
    """The calls of the example; a channel, and so a connection, of its own."""

    def __init__(self, port, options=(), certificate=None):
        where = f"127.0.0.1:{port}"
        options = [("grpc.use_local_subchannel_pool", 1), *options]
        if certificate:
            self.channel = grpc.secure_channel(
                where, grpc.ssl_channel_credentials(certificate), options)
        else:
            self.channel = grpc.insecure_channel(where, options)
        text = {"request_serializer": str.encode, "response_deserializer": bytes.decode}
        self.greet = self.channel.unary_unary("/example.Greeter/Greet", **text)
        self.greet_all = self.channel.stream_unary("/example.Greeter/GreetAll", **text)
        self.greet_again = self.channel.unary_stream("/example.Greeter/GreetAgain", **text)

    def close(self):
        self.channel.close()


def generation(greeting, name):
    """Which generation has sent a greeting, after a look at whether it is one."""
    match = re.fullmatch(rf"Hello, {name}, from generation (\d+)", greeting)
    harness.expect(match, f"no greeting for {name}: {greeting}")
    return int(match[1])


def calls(greeters):
    """Unary calls one after the other; clients share channels, each with many calls at once."""
    def client(run):
        greeter = greeters[run.index % len(greeters)]
        name = f"client {run.index}"
        while run.goes_on():
            answer = greeter.greet(name, timeout=harness.PATIENCE)
            run.ok(generation(answer, name))
    return client


@contextlib.contextmanager
def load(port, options, name, certificate=None):
    """Twelve clients on three channels."""
    with contextlib.ExitStack() as stack:
        greeters = [stack.enter_context(contextlib.closing(Greeter(port, options, certificate)))
                    for _ in range(3)]
        yield stack.enter_context(harness.Clients(12, calls(greeters), name))


def start(service, *options):
    port = harness.free_port()
    service.start("grpc-greeter", "--service", service.name, "--grpc", f"tcp:127.0.0.1:{port}",
                  *options)
    return port


def ten_upgrades(service):
    port = start(service)
    # Connected and never used again: it must not hold up a drain.
    with contextlib.closing(Greeter(port)) as idle, \
            load(port, RETRIES, "standard retry policy") as retrying, \
            load(port, NO_POLICY, "no retry policy") as strict:
        generation(idle.greet("idle"), "idle")
        service.upgrade_under(retrying, strict)


def long_calls(service):
    """A call that is under way ends where it began, whatever is upgraded meanwhile."""
    port = start(service)
    names = queue.Queue()
    with contextlib.closing(Greeter(port, NO_POLICY)) as greeter, \
            load(port, NO_POLICY, "no retry policy") as strict:
        upload = greeter.greet_all.future(iter(names.get, None), timeout=250)
        names.put("first")
        # More than fits into all buffers on its way: it lasts as long as the upgrades do, however
        # long that is.
        name, count = "x" * 2_000, 20_000
        download = greeter.greet_again(f"{name} {count} 0", timeout=250)
        read = 0
        for _ in range(3):
            for _ in range(5):
                harness.expect(generation(next(download), name) == 1, "not the first generation")
                read += 1
            strict.wait_for_progress(5)
            service.upgrade("--detach", "--drain", "250s")
        strict.wait_for_progress(5)
        states = {line["generation"]: line for line in service.status()}
        harness.expect(states[1]["state"] == "draining", f"generation 1: {states[1]}")
        oldest = states[1]["oldest"]
        harness.expect([one["protocol"] for one in oldest] == ["grpc"], f"connections: {oldest}")
        harness.expect(states[4]["state"] == "serving", f"generation 4: {states[4]}")
        names.put("last")
        names.put(None)
        harness.expect(generation(upload.result(), "first, last") == 1, "upload moved")
        rest = [generation(greeting, name) for greeting in download]
        harness.expect(rest == [1] * (count - read), f"{len(rest)} more greetings: {set(rest)}")
        service.wait_for_departures()


def deadline(service):
    """A call that is left at the deadline of the drain is cut and counted; the client gets UNAVAILABLE."""
    port = start(service)
    names = queue.Queue()
    with contextlib.closing(Greeter(port, NO_POLICY)) as greeter:
        upload = greeter.greet_all.future(iter(names.get, None), timeout=harness.PATIENCE)
        names.put("first")

        service.wait_for_connections(1)
        service.upgrade("--drain", "1s", status=2, cut=1)
        with contextlib.suppress(grpc.RpcError):
            harness.expect(False, f"an answer after the deadline: {upload.result()}")
        harness.expect(upload.code() == grpc.StatusCode.UNAVAILABLE, f"{upload.code()}")
        names.put(None)
        harness.expect(generation(greeter.greet("next"), "next") == 2, "not the successor")


def tls(service):
    certificate, key = make_certificate(service.directory)
    port = start(service, "--tls", certificate, key)
    with load(port, NO_POLICY, "no retry policy", certificate.read_bytes()) as strict:
        service.upgrade_under(strict)


class SlowReader:
    """A client that opens a call when the check says so, whatever the server has sent meanwhile."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=harness.PATIENCE)
        self.unread = b""
        self.calls = {}
        self.connection = h2.connection.H2Connection()
        self.connection.initiate_connection()

    def call(self, method, message):
        stream = self.connection.get_next_available_stream_id()
        self.calls[stream] = {"data": b"", "status": None}
        self.connection.send_headers(stream, [
            (":method", "POST"), (":scheme", "http"), (":authority", "greeter"),
            (":path", f"/example.Greeter/{method}"), ("te", "trailers"),
            ("content-type", "application/grpc")])
        body = message.encode()
        self.connection.send_data(stream, struct.pack(">BI", 0, len(body)) + body, end_stream=True)
        return self.calls[stream]

    def frame(self):
        """Sends what is to be sent and takes the next frame off the socket; None at the end."""
        self.socket.sendall(self.connection.data_to_send())
        while len(self.unread) < 9 or len(self.unread) < 9 + int.from_bytes(self.unread[:3], "big"):
            chunk = self.socket.recv(65536)
            if not chunk:
                return None
            self.unread += chunk
        end = 9 + int.from_bytes(self.unread[:3], "big")
        frame, self.unread = self.unread[:end], self.unread[end:]
        return frame

    def goaway(self):
        """Reads up to the next GOAWAY; returns its last stream and its error, None at the end."""
        while frame := self.frame():
            if frame[3] == 7:
                return struct.unpack(">II", frame[9:17])
            self.take(frame)
        return None

    def take(self, frame):
        for event in self.connection.receive_data(frame):
            if isinstance(event, h2.events.DataReceived):
                self.calls[event.stream_id]["data"] += event.data
                self.connection.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.TrailersReceived):
                self.calls[event.stream_id]["status"] = dict(event.headers)[b"grpc-status"]
            elif isinstance(event, h2.events.StreamReset):
                self.calls[event.stream_id]["status"] = f"reset, error {event.error_code}"


def crossing(service):
    """A call that crosses with the GOAWAY is served, and so are those under way (nio-http2#466).

    A client that does not close its connection after that has it closed, long before the deadline.
    """
    port = start(service)
    client = SlowReader(port)
    with contextlib.closing(client.socket):
        running = client.call("GreetAgain", "slow 30 50")
        while not running["data"]:
            client.take(client.frame())
        service.upgrade("--detach", "--drain", "60s")
        last, error = client.goaway()
        harness.expect((last, error) == (2**31 - 1, 0), f"GOAWAY {last}, error {error}")
        crossing = client.call("Greet", "crossing")
        began = time.monotonic()
        while (end := client.goaway()) is not None:
            harness.expect(end[1] == 0, f"GOAWAY {end[0]}, error {end[1]}")
        took = time.monotonic() - began
        harness.expect(crossing["status"] == b"0", f"crossing: {crossing}")
        harness.expect(b"crossing, from generation 1" in crossing["data"], f"{crossing}")
        harness.expect(running["status"] == b"0", f"running: {running}")
        harness.expect(running["data"].count(b"from generation 1") == 30, f"{running}")
        print(f"  both calls served; connection closed by the server within {took:.1f} s")
    service.wait_for_departures()


def silent_clients(service):
    """Connections without a call get GOAWAY and are not cut, whether the client reads or not."""
    port = start(service)
    silent = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    deaf = SlowReader(port)
    deaf.socket.sendall(deaf.connection.data_to_send())
    service.wait_for_connections(2)
    service.upgrade("--drain", "6s")
    ends = []
    while frame := deaf.frame():
        if frame[3] == 7:
            ends.append(struct.unpack(">II", frame[9:17]))
    harness.expect(ends == [(2**31 - 1, 0), (0, 0)], f"GOAWAY: {ends}")
    for connection in (silent, deaf.socket):
        connection.close()


def silent_clients_of_tls(service):
    certificate, key = make_certificate(service.directory)
    port = start(service, "--tls", certificate, key)
    silent = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    begun = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
    begun.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["h2"])
    agreed = context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), harness.PATIENCE),
        server_hostname="127.0.0.1")
    service.wait_for_connections(3)
    service.upgrade("--drain", "6s")
    for connection in (silent, begun, agreed):
        connection.close()


if __name__ == "__main__":
    harness.main(ten_upgrades, tls, crossing, long_calls, deadline, silent_clients,
                 silent_clients_of_tls)
