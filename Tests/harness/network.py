# SPDX-License-Identifier: Apache-2.0
"""Sockets and ports of the loopback interface."""

import socket
import subprocess

from .checks import PATIENCE, expect


def free_port(kind=socket.SOCK_STREAM):
    """Returns a port that is free at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connections(port, count):
    return [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(count)]


def until_end(connection):
    """Returns everything that comes until the server closes; a reset is an error."""
    with connection:
        connection.settimeout(PATIENCE)
        text = b""
        while more := connection.recv(65536):
            text += more
        return text


def backlog(port):
    """Returns the length of the listener's queue, as ss shows it (Send-Q)."""
    lines = subprocess.run(
        ["ss", "--tcp", "--listening", "--numeric", "--no-header", f"sport = :{port}"],
        capture_output=True, text=True, check=True).stdout.splitlines()
    expect(len(lines) == 1, f"one listener on port {port} and not {lines}")
    return int(lines[0].split()[2])
