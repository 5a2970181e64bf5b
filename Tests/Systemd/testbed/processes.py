"""A process that somebody else started."""

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

    def signal(self, number):
        signal.pidfd_send_signal(self.pidfd, number)

    def kill(self):
        self.signal(signal.SIGKILL)

    def is_alive(self):
        return not select.select([self.pidfd], [], [], 0)[0]

    def wait(self, seconds=PATIENCE):
        """Returns when the process has ended, whosever child it is."""
        ended = select.select([self.pidfd], [], [], seconds)[0]
        expect(ended, f"pid {self.pid} did not end within {seconds} s")

    def parent(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("\nPPid:")[1].split()[0])

    def environment(self):
        """Returns the variables it has now begun with: what execve(2) was given."""
        data = pathlib.Path(f"/proc/{self.pid}/environ").read_bytes().decode()
        return dict(item.split("=", 1) for item in data.split("\0") if "=" in item)

    def descriptors(self):
        """Returns what each number stands for, such as socket:[1234] or a path."""
        found = {}
        for entry in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            found[int(entry.name)] = os.readlink(entry)
        return found
