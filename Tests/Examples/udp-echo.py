#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/nio-servers, udp-echo: every datagram is answered, by one generation or the other."""

import contextlib
import socket

import harness


def asker(port):
    def client(run):
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
            asking.connect(("127.0.0.1", port))
            asking.settimeout(5)
            count = 0
            while run.goes_on():
                count += 1
                asking.send(str(count).encode())
                generation, _, text = asking.recv(1000).decode().partition(" ")
                harness.expect(text == str(count), f"{text} instead of {count}")
                run.ok(generation)
    return client


def ten_upgrades(service):
    port = harness.free_port(socket.SOCK_DGRAM)
    service.start("udp-echo", "--service", service.name, "--listen", f"udp:127.0.0.1:{port}")
    with harness.Clients(4, asker(port), "datagrams") as load:
        service.upgrade_under(load)
    harness.expect(len(load.generations) == harness.UPGRADES + 1, f"{load.generations}")


if __name__ == "__main__":
    harness.main(ten_upgrades)
