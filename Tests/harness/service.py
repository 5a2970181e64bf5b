# SPDX-License-Identifier: Apache-2.0
"""A server under test."""

import contextlib
import os
import pathlib
import select
import shutil
import subprocess
import tempfile

from . import descriptors, processes
from .checks import PATIENCE, expect, until
from .commands import run

UPGRADES = 10


class Service:
    """A server with all its generations, in a directory of its own.

    The runtime directory is in the environment of each of its processes, by which they are found.
    """

    def __init__(self, binaries, name=None):
        self.binaries = binaries
        self.name = name or f"example{os.getpid()}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"succession-{self.name}."))
        self.runtime = self.directory / "run"
        self.runtime.mkdir(mode=0o700)
        self.variables = {"SUCCESSION_RUNTIME_DIRECTORY": str(self.runtime)}
        self.environment = {**os.environ, **self.variables}
        self.log = self.directory / "log"
        self.first = None

    def start(self, binary, *arguments):
        """Starts the first generation and returns its pid when it serves."""
        with open(self.log, "ab") as log:
            self.first = subprocess.Popen(
                [self.binaries / binary, *arguments], env=self.environment, cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        # Whichever comes first: it serves, or it ends.
        with processes.Process(self.first.pid) as server, subprocess.Popen(
                [self.binaries / "swapctl", "status", self.name, "--wait", f"{PATIENCE:g}s"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL) as asking, processes.Process(asking.pid) as waiting:
            select.select([server.pidfd, waiting.pidfd], [], [], PATIENCE + 5)
            asking.kill()
        expect(self.first.poll() is None, f"{binary} ended with status {self.first.returncode}")
        serving = self.serving()
        expect(serving, f"{binary} does not serve")
        return serving["pid"]

    def swapctl(self, *arguments):
        """Runs swapctl; returns its exit status and the JSON objects it has printed."""
        result = run(
            self.binaries / "swapctl", *arguments, "--json", environment=self.variables)
        return result.status, result.objects

    def status(self):
        """Returns what `swapctl status` says of each living generation, the newest first."""
        return [line for line in self.swapctl("status", self.name)[1]
                if line.get("event") == "status"]

    def serving(self):
        """Returns the status of the generation that serves; None if there is none."""
        return next((line for line in self.status() if line["state"] == "serving"), None)

    def upgrade(self, *options, status=0, cut=0):
        """Upgrades once and returns swapctl's result.

        Unless the options say --detach, it returns when the old generation has left, and fails if
        connections had to be cut.
        """
        code, lines = self.swapctl("upgrade", self.name, *options)
        result = lines[-1] if lines else {}
        expect(code == status, f"upgrade: exit status {code} and not {status}: {result}")
        if "--detach" not in options and code in (0, 2):
            expect(result["cut"] == cut, f"{result['cut']} connections were cut and not {cut}")
            expect(result["departure"] == "left", f"the old generation has not left: {result}")
        return result

    def upgrade_under(self, *loads, upgrades=UPGRADES, each=5, options=("--drain", "30s"),
                      between=lambda: None):
        """Upgrades again and again while every client of every load gets answers.

        Before the first upgrade and after each one every client is served `each` more times, and
        `between` is called. The third generation and the last hold the same descriptors.
        """
        def progress():
            between()
            for load in loads:
                load.wait_for_progress(each)

        progress()
        held = None
        for _ in range(upgrades):
            result = self.upgrade(*options)
            progress()
            if result["generation"] == 3:
                held = descriptors.lasting(result["pid"])
        if held:
            last = descriptors.lasting(result["pid"])
            expect(last == held, f"generation 3 held {held}, {result['generation']} holds {last}")
        return result

    def log_lines(self):
        """Returns what the processes have written to their standard streams."""
        return self.log.read_text(errors="replace").splitlines() if self.log.exists() else []

    def processes(self):
        """Returns the pids of all processes of the service."""
        return processes.carrying(self.mark)

    @property
    def mark(self):
        (name, value), = self.variables.items()
        return f"{name}={value}"

    def wait_for_connections(self, count):
        """Returns when the serving generation counts so many connections."""
        def is_reached():
            serving = self.serving()
            return serving and serving["connections"] == count

        until(is_reached, f"{count} connections of {self.name}")

    def wait_for_departures(self):
        """Returns when all generations but the one that serves have ended."""
        serving = self.serving()["pid"]
        processes.wait_for_ends(pid for pid in self.processes() if pid != serving)
        alive = [line["generation"] for line in self.status()]
        expect(len(alive) == 1, f"one generation lives, and not {alive}")

    def wait_for_end(self, seconds=PATIENCE):
        """Returns when no process of the service is left."""
        processes.wait_for_ends(self.processes(), seconds)
        expect(not self.processes(), f"left behind: {self.processes()}")

    def finish(self):
        """Stops the service; nothing of it may be left."""
        code, lines = self.swapctl("stop", self.name)
        expect(code == 0, f"stop: exit status {code}: {lines[-1:]}")
        self.first.wait(timeout=PATIENCE)
        self.wait_for_end(10)
        files = sorted(entry.name for entry in self.runtime.iterdir())
        expect(files == ["lock"], f"files left: {files}")

    def close(self):
        """Kills what is left and removes the directory."""
        processes.kill_carrying(self.mark)
        if self.first:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.first.wait(5)
        shutil.rmtree(self.directory, ignore_errors=True)
