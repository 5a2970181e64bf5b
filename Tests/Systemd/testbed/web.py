"""The example web server under the project's own units."""

import contextlib
import pathlib
import select

from harness.checks import PATIENCE, expect
from harness.commands import run
from harness.load import Load
from harness.processes import Process

from .journal import Journal
from .machine import BINARIES, PROGRAMS, install_binary, install_unit
from .manager import Manager

TARGET = "tcp:127.0.0.1:8080"


class Web:
    """A service that has been started and is under load.

    `units` are installed with the drop-in, which is the same for all of their services; `start`
    are started, in this order, and the last of them is the service.
    """

    def __init__(self, *units, start=None, drop_in=None, manager=None):
        self.manager = manager or Manager()
        install_binary("web", PROGRAMS)
        install_binary("swapctl", "/usr/local/bin")
        for unit in units:
            is_service = unit.endswith(".service")
            install_unit(unit, drop_in if is_service else None, self.manager.scope)
        self.journal = Journal()
        started = start or units
        self.unit = started[-1]
        self.manager.do("daemon-reload")
        for unit in started:
            self.manager.do("start", unit)
        self.load = Load(BINARIES / "succession-load", "--http", TARGET, "--rate", "100")
        self.load.wait_for(self.pid)

    @classmethod
    def behind_socket_unit(cls, drop_in=None, manager=None):
        return cls("web.socket", "web.service", drop_in=drop_in, manager=manager)

    @classmethod
    def alone(cls, drop_in=None):
        """Binds for itself; the manager stores its listener."""
        return cls("web-notify.service", drop_in=drop_in)

    @property
    def service(self):
        return self.unit.removesuffix(".service")

    @property
    def pid(self):
        return self.manager.main_pid(self.unit)

    def main(self):
        return Process(self.pid)

    def reload(self):
        """Reloads, which must succeed; returns the new main process after its first answer."""
        self.manager.do("reload", self.unit)
        main = self.main()
        self.load.wait_for(main.pid)
        return main

    def swapctl(self, *arguments):
        return run("/usr/local/bin/swapctl", *arguments)

    def swapctl_status(self, state):
        """Returns the pids of the generations in a state."""
        generations = self.swapctl("status", self.service, "--json").objects
        return [each["pid"] for each in generations if each.get("state") == state]

    def cgroup(self):
        return pathlib.Path("/sys/fs/cgroup" + self.manager.get(self.unit, "ControlGroup"))

    def processes(self):
        """Returns the pids of the unit's cgroup."""
        return sorted(map(int, (self.cgroup() / "cgroup.procs").read_text().split()))

    @contextlib.contextmanager
    def frozen(self):
        """Within, none of the unit's processes runs, not one of their threads; they can be killed.

        SIGSTOP would take effect some time after it was sent.
        """
        cgroup = self.cgroup()
        with open(cgroup / "cgroup.events", encoding="ascii") as events:
            poll = select.poll()
            poll.register(events, select.POLLPRI)
            (cgroup / "cgroup.freeze").write_text("1")
            while "frozen 1" not in events.read():
                expect(poll.poll(PATIENCE * 1000), f"{cgroup} does not freeze")
                events.seek(0)
        yield
        # Systemd may have removed it, when the last process was gone.
        with contextlib.suppress(OSError):
            (cgroup / "cgroup.freeze").write_text("0")
