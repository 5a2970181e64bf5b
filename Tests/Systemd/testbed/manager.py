"""The service manager under test, asked as an administrator asks it."""

import os
import subprocess

from .checks import PATIENCE, expect


class Result:
    """What a command came to."""

    def __init__(self, command, status, output):
        self.command = " ".join(command)
        self.status = status
        self.output = output

    def __str__(self):
        return f"{self.command}: status {self.status}\n{self.output}"


def run(*command, environment=None, seconds=PATIENCE, **options):
    """Runs a command to its end."""
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=seconds, env={**os.environ, **(environment or {})}, check=False,
        **options)
    return Result([str(part) for part in command], done.returncode, done.stdout)


class Manager:
    """systemctl, of the machine or of a user."""

    def __init__(self, user=None, runtime_directory=None):
        self.command = ["systemctl"]
        self.options = {}
        if user is not None:
            self.command.append("--user")
            self.options = {
                "user": user, "environment": {"XDG_RUNTIME_DIR": str(runtime_directory)}}

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
