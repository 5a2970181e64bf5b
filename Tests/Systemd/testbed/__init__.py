"""What the cases are made of: a real service manager, units, load, and the journal.

Runs inside the sandbox, where it may do as it likes. Nothing here sleeps: each wait is for a job of
systemd, a line of the journal, the end of a process or an answer, and has a deadline.
"""

from .checks import Failed, expect
from .journal import Journal
from .load import Load
from .machine import BINARIES, ROOT, install_binary, install_release, install_unit
from .manager import Manager
from .processes import Process

__all__ = [
    "BINARIES", "Failed", "Journal", "Load", "Manager", "Process", "ROOT", "expect",
    "install_binary", "install_release", "install_unit"]
