# SPDX-License-Identifier: Apache-2.0
"""Processes that are no children of this one."""

import contextlib
import os
import pathlib
import select
import signal

from .checks import PATIENCE, expect


class Process:
    """A living process, held by a pidfd: its number cannot come to mean another."""

    def __init__(self, pid):
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.pidfd)

    def signal(self, number):
        signal.pidfd_send_signal(self.pidfd, number)

    def kill(self):
        self.signal(signal.SIGKILL)

    def is_alive(self):
        return not self.ends_within(0)

    def ends_within(self, seconds):
        return bool(select.select([self.pidfd], [], [], seconds)[0])

    def wait(self, seconds=PATIENCE):
        """Returns when the process has ended, whether or not it is a child of this one."""
        expect(self.ends_within(seconds), f"pid {self.pid} did not end within {seconds:g} s")

    def parent(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("\nPPid:")[1].split()[0])

    def environment(self):
        """Returns the variables that its execve(2) was given."""
        data = pathlib.Path(f"/proc/{self.pid}/environ").read_bytes().decode()
        return dict(item.split("=", 1) for item in data.split("\0") if "=" in item)


def carrying(variable):
    """Returns the pids of all processes that have this variable, NAME=VALUE, in their environment."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            environment = pathlib.Path("/proc", entry, "environ").read_bytes()
            if variable.encode() in environment.split(b"\0"):
                found.append(int(entry))
    return found


def wait_for_ends(pids, seconds=PATIENCE):
    """Returns when all of these processes have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError), Process(pid) as process:
            process.wait(seconds)


def kill_carrying(variable):
    """Kills every process with this variable in its environment, and waits for their ends."""
    for pid in carrying(variable):
        # The pid may mean another process by now: it is looked at again when it is held.
        with contextlib.suppress(ProcessLookupError), Process(pid) as process:
            if pid in carrying(variable):
                process.kill()
                process.ends_within(5)
