#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/nio-servers, websocket-chat: clients are told that they may come back, and do."""

import harness
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

REASON = "a new release: please reconnect"


def chatter(port):
    """Sends messages and waits for each to come back; reconnects after close 1012."""
    def client(run):
        with connect(f"ws://127.0.0.1:{port}/", open_timeout=harness.PATIENCE) as socket:
            generation = socket.recv(timeout=harness.PATIENCE).removeprefix("gen=")
            count, heard = 0, ""
            try:
                while run.goes_on():
                    count += 1
                    said = f"{run.index} {generation} {count}"
                    socket.send(said)
                    while heard != said:
                        heard = socket.recv(timeout=harness.PATIENCE)
                    run.ok(generation)
            except ConnectionClosed as closed:
                harness.expect(closed.rcvd and (closed.rcvd.code, closed.rcvd.reason)
                               == (1012, REASON), f"closed with {closed.rcvd}")
                harness.expect(closed.rcvd_then_sent, "it was not the server that closed")
                run.load.farewells.add((run.index, generation))
    return client


def ten_upgrades(service):
    port = harness.free_port()
    service.start("websocket-chat", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    clients = harness.Clients(8, chatter(port), "websockets")
    clients.farewells = set()
    with clients as load:
        service.upgrade_under(load)
    harness.expect(len(load.generations) == harness.UPGRADES + 1, f"{load.generations}")
    harness.expect(len(load.farewells) == 8 * harness.UPGRADES, f"{len(load.farewells)} farewells")


def last_word(service):
    """A client that listens hears the application's last word before the close."""
    port = harness.free_port()
    service.start("websocket-chat", "--service", service.name, "--listen", f"tcp:127.0.0.1:{port}")
    with connect(f"ws://127.0.0.1:{port}/") as socket:
        socket.recv(timeout=10)
        harness.expect(service.serving()["oldest"][0]["protocol"] == "websocket", "status")
        service.upgrade("--detach", "--drain", "20s")
        harness.expect(socket.recv(timeout=10) == "the server restarts", "the last word")
        try:
            socket.recv(timeout=10)
        except ConnectionClosed as closed:
            harness.expect((closed.rcvd.code, closed.rcvd.reason) == (1012, REASON), f"{closed}")


if __name__ == "__main__":
    harness.main(ten_upgrades, last_word)
