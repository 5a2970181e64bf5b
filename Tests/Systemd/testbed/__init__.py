"""What the cases have besides Tests/harness: a real service manager, units, and the journal.

Runs inside the sandbox, where it may do as it likes. Nothing here sleeps: each wait is for a job of
systemd, a line of the journal, the end of a process or an answer, and has a deadline.
"""

from .journal import Journal
from .machine import BINARIES, install_binary, install_release, install_unit
from .manager import Manager

__all__ = [
    "BINARIES", "Journal", "Manager", "install_binary", "install_release", "install_unit"]
