"""The service manager under test, asked as an administrator asks it."""

import subprocess

from harness.checks import PATIENCE, expect
from harness.commands import run

from .machine import install_milestones, install_unit


class Manager:
    """systemctl, of the machine or of a user."""

    def __init__(self):
        self.command = ["systemctl"]
        self.options = {}
        self.scope = "system"
        self.pid = 1

    @classmethod
    def of_user(cls, user):
        """Starts the manager of a user of the machine."""
        install_unit("user@.service")
        install_milestones()
        machine = cls()
        machine.do("start", f"user@{user.pw_uid}.service")
        manager = cls()
        manager.command.append("--user")
        manager.options = {
            "user": user.pw_uid, "group": user.pw_gid, "extra_groups": [],
            "environment": {"XDG_RUNTIME_DIR": f"/run/user/{user.pw_uid}"}}
        manager.scope = "user"
        manager.pid = machine.main_pid(f"user@{user.pw_uid}.service")
        return manager

    def try_to(self, *arguments, seconds=PATIENCE):
        """Runs systemctl and returns what came of it, which may be a failure."""
        return run(*self.command, *arguments, seconds=seconds, **self.options)

    def do(self, *arguments, seconds=PATIENCE):
        """Runs systemctl, which must succeed; returns when the job is done."""
        result = self.try_to(*arguments, seconds=seconds)
        expect(result.status == 0, f"{result}\n{self.describe(arguments[-1])}")
        return result.output.strip()

    def start_to(self, *arguments):
        """Begins a job and returns while it runs."""
        return subprocess.Popen(
            [*self.command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)

    def get(self, unit, name):
        return self.try_to("show", "--property", name, "--value", unit).output.strip()

    def main_pid(self, unit):
        return int(self.get(unit, "MainPID"))

    def expect_active(self, unit):
        expect(self.get(unit, "ActiveState") == "active", self.describe(unit))

    def describe(self, unit):
        return self.try_to("status", "--full", "--no-pager", "--lines=20", unit).output
