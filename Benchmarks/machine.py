"""Programs that are built, started, asked and ended for the benchmarks."""

import contextlib
import ctypes
import json
import os
import platform
import resource
import select
import shutil
import signal
import socket
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
# 1,000 listeners and what else a generation has open.
OPEN_FILES = 4096
GOPATH = "/usr/share/gocode"
TABLEFLIP = os.path.join(GOPATH, "src/github.com/cloudflare/tableflip")


class MeasurementError(Exception):
    """A figure cannot be had."""


PRODUCTS = ("swapctl", "succession-fixture", "web")


class Programs:
    """Where the executables are."""

    def __init__(self, tools, binaries):
        self.tools = tools
        self.binaries = binaries
        self.tableflip = None
        self.why_no_tableflip = None

    @classmethod
    def build(cls, package, binaries):
        swift = ["swift", "build", "--package-path", package, "-c", "release"]
        cls._run([*swift, "-q"])
        tools = cls._run([*swift, "--show-bin-path"]).strip()
        programs = cls(tools, binaries)
        for name in PRODUCTS:
            if not os.access(programs.product(name), os.X_OK):
                raise MeasurementError(f"no {programs.product(name)}: run make build first")
        programs._build_tableflip(package)
        programs._release(os.path.join(package, ".build", "released"))
        return programs

    def product(self, name):
        return os.path.join(self.binaries, name)

    def tool(self, name):
        return os.path.join(self.tools, name)

    def _build_tableflip(self, package):
        if not shutil.which("go"):
            self.why_no_tableflip = "Go is not installed (Debian: golang-go)"
        elif not os.path.isdir(TABLEFLIP):
            self.why_no_tableflip = (
                "tableflip is not installed (Debian: golang-github-cloudflare-tableflip-dev)")
        else:
            output = os.path.join(package, ".build", "tableflip")
            environment = dict(os.environ, GOPATH=GOPATH, GO111MODULE="off")
            self._run(
                ["go", "build", "-o", output, "."], env=environment,
                cwd=os.path.join(package, "tableflip"))
            self.tableflip = output

    def _release(self, directory):
        """Copies the programs, the other one's too: what is upgraded to was written just before.

        In one piece each, or the page cache keeps them in small ones.
        """
        os.makedirs(directory, exist_ok=True)
        programs = [self.product(name) for name in PRODUCTS]
        for source in filter(None, [*programs, self.tableflip]):
            target = os.path.join(directory, os.path.basename(source))
            with open(source, "rb") as file:
                content = file.read()
            if os.path.exists(target):
                os.unlink(target)
            with open(target, "wb", buffering=0) as file:
                file.write(content)
            os.chmod(target, 0o755)
        self.binaries = directory
        if self.tableflip:
            self.tableflip = os.path.join(directory, os.path.basename(self.tableflip))

    @staticmethod
    def _run(command, **options):
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        if done.returncode:
            raise MeasurementError(f"{' '.join(command)} failed:\n{done.stdout}")
        return done.stdout


class Machine:
    """Runs programs within a time limit and leaves none behind.

    Every generation becomes a child of this process when its predecessor has ended, so that it can
    be found and waited for.
    """

    def __init__(self, programs, directory, seconds):
        self.programs = programs
        self.directory = directory
        self.deadline = time.monotonic() + seconds
        self.log = open(os.path.join(directory, "log"), "w+b")
        self.cleanup = contextlib.ExitStack()

    def __enter__(self):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        enough = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
        return self

    def __exit__(self, *_):
        self.cleanup.close()
        for pid in children():
            end(pid, signal.SIGKILL)
        self.log.close()

    def describe(self):
        cores = len(os.sched_getaffinity(0))
        load = os.getloadavg()[0]
        return f"{cores} cores, Linux {platform.release()}, load average {load:.1f}"

    def environment(self, service):
        """For a service that shares nothing with others, whoever started this program."""
        runtime = os.path.join(self.directory, service)
        os.makedirs(runtime, mode=0o700, exist_ok=True)
        ours = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("SUCCESSION_", "LISTEN_", "NOTIFY_", "WATCHDOG_"))}
        return dict(ours, SUCCESSION_RUNTIME_DIRECTORY=runtime)

    def output(self, command, environment=None):
        """Runs a program to its end and returns what it printed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise MeasurementError("this takes too long; is the machine busy?")
        try:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=self.log, timeout=left,
                stdin=subprocess.DEVNULL, env=environment, text=True)
        except subprocess.TimeoutExpired:
            raise MeasurementError(self._with_log(f"{' '.join(command)} does not end")) from None
        if done.returncode and not done.stdout:
            raise MeasurementError(
                self._with_log(f"{' '.join(command)} failed with status {done.returncode}"))
        return done.stdout

    def tool(self, name, *rest, service="nobody"):
        """Runs a program of this package; its output is numbers."""
        command = [self.programs.tool(name), *map(str, rest)]
        return [float(word) for word in self.output(command, self.environment(service)).split()]

    def start(self, command, service):
        """Starts the first generation of a service, which is ended when everything is over."""
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            env=self.environment(service))
        return process

    def failed(self, message):
        return MeasurementError(self._with_log(message))

    def _with_log(self, message):
        self.log.flush()
        with open(self.log.name, "rb") as file:
            lines = file.read().decode(errors="replace").splitlines()[-20:]
        return "\n".join([message, *(f"  {line}" for line in lines)])


class Service:
    """A running service, whichever generation of it serves."""

    def __init__(self, machine, name, command):
        self.machine = machine
        self.name = name
        self.swapctl = machine.programs.product("swapctl")
        self.process = machine.start(command, name)
        self.pid = self.process.pid
        machine.cleanup.callback(lambda: end(self.pid, signal.SIGTERM))

    def wait_until_ready(self):
        """For a server that prints a line when it serves."""
        readable, _, _ = select.select([self.process.stdout], [], [], 10)
        if not readable or not self.process.stdout.readline().startswith(b"ready "):
            raise self.machine.failed(f"{self.name} does not become ready")

    def wait_until_serving(self):
        """For a server that prints nothing: swapctl waits for it."""
        command = [self.swapctl, "status", self.name, "--wait", "10s", "--json"]
        if '"serving"' not in self.machine.output(command, self.machine.environment(self.name)):
            raise self.machine.failed(f"{self.name} does not serve")

    def upgrade(self):
        """Returns the events of an upgrade when the old generation is gone."""
        old = os.pidfd_open(self.pid)
        try:
            command = [self.swapctl, "upgrade", self.name, "--json"]
            text = self.machine.output(command, self.machine.environment(self.name))
            events = [json.loads(line) for line in text.splitlines()]
            result = events[-1] if events else {}
            if result.get("result") != "committed":
                raise self.machine.failed(f"the upgrade of {self.name} failed: {result}")
            if not select.select([old], [], [], 10)[0]:
                raise self.machine.failed(f"{self.name}: process {self.pid} is still there")
        finally:
            os.close(old)
        self.succeeded_by(result["pid"])
        return events

    def succeeded_by(self, pid):
        reap(self.pid)
        self.pid = pid


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def children():
    """Pids of the processes whose parent is this one."""
    with contextlib.suppress(OSError):
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    return []


def reap(pid):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def end(pid, with_signal):
    """Ends a process, by force if it does not leave within some seconds."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, with_signal)
        if not select.select([pidfd], [], [], 5)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            select.select([pidfd], [], [], 5)
    os.close(pidfd)
    reap(pid)
