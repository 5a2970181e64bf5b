# SPDX-License-Identifier: Apache-2.0
"""Descriptor tables of processes, read from /proc."""

import collections
import contextlib
import os
import pathlib
import time


def table(pid):
    """Returns number -> what it stands for, such as socket:[1234] or a path."""
    found = {}
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found[int(entry.name)] = os.readlink(entry.path)
    return found


def lasting(pid):
    """Returns how many descriptors of each kind a process holds for a second, without connections."""
    held, connected = None, set()
    looks, end = 0, time.monotonic() + 1
    # One look takes long where thousands of connections have just been closed.
    while looks < 5 or time.monotonic() < end:
        looks += 1
        seen = set(table(pid).items())
        held = seen if held is None else held & seen
        connected |= connected_sockets()
    return dict(collections.Counter(
        target.split(":[")[0] for _, target in held if target not in connected))


def connected_sockets():
    """Returns every socket of this machine that is an end of a connection, as /proc/PID/fd names it."""
    connected = set()
    for name in ("tcp", "tcp6"):
        for line in pathlib.Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] != "0A":
                connected.add(f"socket:[{fields[9]}]")
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[4] in ("0001", "0005") and fields[5] == "03":
            connected.add(f"socket:[{fields[6]}]")
    return connected
