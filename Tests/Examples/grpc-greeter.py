#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/grpc-greeter under grpcio: unary calls, a long upload, a long download, and the deadline."""

import contextlib
import json
import queue
import re
import time

import grpc
import harness

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

    def __init__(self, port, options=()):
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1), *options])
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
            answer = greeter.greet(name, timeout=harness.SECONDS)
            run.ok(generation(answer, name))
    return client


@contextlib.contextmanager
def load(port, options, name, channels=3, clients=12):
    with contextlib.ExitStack() as stack:
        greeters = [stack.enter_context(contextlib.closing(Greeter(port, options)))
                    for _ in range(channels)]
        yield stack.enter_context(harness.Clients(clients, calls(greeters), name))


def start(service):
    port = harness.free_port()
    service.start("grpc-greeter", "--service", service.name, "--grpc", f"tcp:127.0.0.1:{port}")
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
        upload = greeter.greet_all.future(iter(names.get, None), timeout=harness.SECONDS)
        names.put("first")
        download = greeter.greet_again("long 200 100", timeout=harness.SECONDS)
        began = time.monotonic()
        harness.expect(generation(next(download), "long") == 1, "not the first generation")
        for _ in range(3):
            strict.wait_for_progress(5)
            service.upgrade("--detach", "--drain", "60s")
        strict.wait_for_progress(5)
        states = {line["generation"]: line for line in service.status()}
        harness.expect(states[1]["state"] == "draining", f"generation 1: {states[1]}")
        harness.expect(states[4]["state"] == "serving", f"generation 4: {states[4]}")
        names.put("last")
        names.put(None)
        harness.expect(generation(upload.result(), "first, last") == 1, "upload moved")
        rest = [generation(greeting, "long") for greeting in download]
        took = time.monotonic() - began
        harness.expect(rest == [1] * 199, f"{len(rest)} more greetings by {set(rest)}")
        harness.expect(took > 19, f"the download took {took:.1f} s")
        harness.until(lambda: len(service.status()) == 1, "the old generations leave")
        print(f"  a download of {took:.1f} s and an upload survived three upgrades")


def deadline(service):
    """What is left at the deadline of the drain is cut and counted, and the client is told."""
    port = start(service)
    names = queue.Queue()
    with contextlib.closing(Greeter(port, NO_POLICY)) as greeter:
        upload = greeter.greet_all.future(iter(names.get, None), timeout=harness.SECONDS)
        names.put("first")

        def counted():
            line = service.serving()
            return line and line["connections"] == 1

        harness.until(counted, "the connection is counted")
        service.upgrade("--drain", "1s", status=2, cut=1)
        with contextlib.suppress(grpc.RpcError):
            harness.expect(False, f"an answer after the deadline: {upload.result()}")
        harness.expect(upload.code() == grpc.StatusCode.UNAVAILABLE, f"{upload.code()}")
        names.put(None)
        harness.expect(generation(greeter.greet("next"), "next") == 2, "not the successor")


if __name__ == "__main__":
    harness.main(ten_upgrades, long_calls, deadline)
