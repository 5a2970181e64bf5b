# SPDX-License-Identifier: Apache-2.0
"""What every check of an example needs: the service under test, load, and what must hold.

A check is a function that gets a Service, starts the example in it, and puts load on it:

    def check(service):
        port = harness.free_port()
        service.start("web", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
        with harness.Clients(8, harness.kept_alive(port)) as load:
            service.upgrade_under(load)

    harness.main(check)

An exception, a failed request, or anything left behind at the end fails it.
"""

import argparse
import collections
import contextlib
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UPGRADES = 10
SECONDS = 60


class CheckFailed(Exception):
    """What should hold does not."""


def expect(holds, what):
    """Fails the check unless something holds; unlike assert it cannot be switched off."""
    if not holds:
        raise CheckFailed(what)


def until(condition, what, seconds=SECONDS):
    """Asks again and again, until the answer is true; for what sends no event. Returns the answer."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        expect(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        os.sched_yield()
    return answer


def free_port(kind=socket.SOCK_STREAM):
    """A port of the loopback interface that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """An example server, whichever generations of it are alive, in a directory of its own."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="succession-example."))
        self.name = f"example{os.getpid()}"
        self.runtime = self.directory / "run"
        self.runtime.mkdir(mode=0o700)
        self.environment = dict(os.environ, SUCCESSION_RUNTIME_DIRECTORY=str(self.runtime))
        self.log = self.directory / "log"
        self.first = None

    def start(self, binary, *arguments):
        """Starts the first generation and returns its pid when it serves."""
        with open(self.log, "ab") as log:
            self.first = subprocess.Popen(
                [self.binaries / binary, *arguments], env=self.environment, cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

        def serves():
            expect(self.first.poll() is None, f"{binary} left with {self.first.returncode}")
            return self.serving()

        return until(serves, f"{binary} serves")["pid"]

    def swapctl(self, *arguments):
        """Runs swapctl; returns its exit status and the JSON objects it has printed."""
        run = subprocess.run(
            [self.binaries / "swapctl", *arguments, "--json"], env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
        return run.returncode, [
            json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]

    def status(self):
        """What `swapctl status` says of each living generation, the newest first."""
        return [line for line in self.swapctl("status", self.name)[1]
                if line.get("event") == "status"]

    def serving(self):
        """The status of the generation that serves; None if there is none."""
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
                held = self.descriptors(result["pid"])
        if held:
            last = self.descriptors(result["pid"])
            expect(last == held, f"generation 3 held {held}, {result['generation']} holds {last}")
        return result

    def descriptors(self, pid):
        """How many descriptors of each kind a process holds for a second, leaving out connections."""
        lasting, connected = None, set()
        looks, end = 0, time.monotonic() + 1
        # Looking takes long where thousands of connections have just been closed.
        while looks < 5 or time.monotonic() < end:
            looks += 1
            seen = set()
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    seen.add((entry.name, os.readlink(entry.path)))
            lasting = seen if lasting is None else lasting & seen
            connected |= self.connected_sockets()
        return dict(collections.Counter(
            target.split(":[")[0] for _, target in lasting if target not in connected))

    @staticmethod
    def connected_sockets():
        """Every socket of this machine that is the end of a connection, as /proc/PID/fd names it."""
        connected = set()
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] != "0A":
                    connected.add(f"socket:[{fields[9]}]")
        for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
            fields = line.split()
            if len(fields) > 7 and fields[4] in ("0001", "0005") and fields[5] == "03":
                connected.add(f"socket:[{fields[6]}]")
        return connected

    def processes(self):
        """The pids of everything that carries the runtime directory of this very check."""
        mark = f"SUCCESSION_RUNTIME_DIRECTORY={self.runtime}".encode()
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if mark in pathlib.Path("/proc", entry, "environ").read_bytes().split(b"\0"):
                    found.append(int(entry))
        return found

    def finish(self):
        """Stops the service; nothing of it may be left."""
        code, lines = self.swapctl("stop", self.name)
        expect(code == 0, f"stop: exit status {code}: {lines[-1:]}")
        self.first.wait(timeout=SECONDS)
        # A process lets go of its control socket a moment before it is gone.
        until(lambda: not self.processes(), "the processes leave", 10)
        files = sorted(entry.name for entry in self.runtime.iterdir())
        expect(files == ["lock"], f"files left: {files}")

    def close(self):
        """Kills what is left and removes the directory."""
        for pid in self.processes():
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(pid)
                with contextlib.closing(os.fdopen(handle)):
                    if pid in self.processes():
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
                        select.select([handle], [], [], 5)
        if self.first:
            self.first.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Run:
    """One client's view of its load: whether to go on, and what became of each request."""

    def __init__(self, load, index):
        self.load = load
        self.index = index
        self.served = 0

    def goes_on(self):
        return not self.load.stopping.is_set()

    def ok(self, generation=None):
        """A request was answered, by this generation if the answer says which."""
        with self.load.changed:
            self.served += 1
            if generation is not None:
                self.load.generations.add(generation)
            self.load.changed.notify_all()

    def failed(self, what):
        with self.load.changed:
            self.load.failures.append(f"client {self.index}: {what}")
            self.load.changed.notify_all()


class Clients:
    """So many clients at once, each in a thread of its own.

    `client` is called with a Run; it makes requests as long as `run.goes_on()` and tells `run.ok()`
    of each that was answered. What it raises is a failed request. Leaving the context stops the
    clients, prints what they counted, and fails if anything has failed.
    """

    def __init__(self, count, client, name="load"):
        self.name = name
        self.client = client
        self.stopping = threading.Event()
        self.changed = threading.Condition()
        self.generations = set()
        self.failures = []
        self.runs = [Run(self, index) for index in range(count)]
        self.threads = [
            threading.Thread(target=self.serve, args=(run,), daemon=True) for run in self.runs]

    def serve(self, run):
        while run.goes_on():
            try:
                self.client(run)
            except Exception as error:  # pylint: disable=broad-except
                run.failed("".join(traceback.format_exception_only(error)).strip())
                if len(self.failures) > 20:
                    return

    @property
    def served(self):
        return sum(run.served for run in self.runs)

    def wait_for_progress(self, count):
        """Returns when every client has been served so many more times."""
        with self.changed:
            goals = [run.served + count for run in self.runs]
            there = self.changed.wait_for(
                lambda: self.failures or all(
                    run.served >= goal for run, goal in zip(self.runs, goals)), SECONDS)
        expect(not self.failures, f"{self.name}: {self.failures[:3]}")
        expect(there, f"{self.name}: a client is not served within {SECONDS} s")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopping.set()
        for thread in self.threads:
            thread.join(SECONDS)
        by = f" by {len(self.generations)} generations" if self.generations else ""
        print(f"  {self.name}: {self.served:,} served{by}, {len(self.failures)} failed", flush=True)
        for failure in self.failures[:5]:
            print(f"    {failure}")
        if kind is None:
            expect(not self.failures, f"{self.name}: {len(self.failures)} failed")
            expect(not any(thread.is_alive() for thread in self.threads),
                   f"{self.name}: a client does not end")


class Wrk:
    """wrk against a URL, from the beginning of the context to its end."""

    def __init__(self, url, *options, connections=16):
        self.command = ["wrk", "-t", "1", "-c", str(connections), "-d", "1h",
                        "-s", ROOT / "scripts" / "wrk-report.lua", *options, url]
        self.process = None

    def wait_for_progress(self, _):
        """wrk does not say how far it is; that it runs is all that can be asked for."""
        expect(self.process.poll() is None, "wrk has ended")

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGINT)
        lines = self.process.communicate(timeout=SECONDS)[0].splitlines()
        if kind is None:
            expect(lines and lines[-1].startswith("{"), "wrk ended without a report")
            report = json.loads(lines[-1])
            failed = sum(report["errors"].values())
            print(f"  wrk: {report['requests']:,} served, {failed} failed", flush=True)
            expect(report["requests"] and not failed, f"wrk: {report['errors']}")


def kept_alive(port, path="/", host="127.0.0.1"):
    """An HTTP/1.1 client that uses its connection until a response says `Connection: close`."""
    def client(run):
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
        with contextlib.closing(connection):
            while run.goes_on():
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
                expect(response.status == 200, f"status {response.status}: {body[:100]}")
                run.ok(response.getheader("X-Generation"))
    return client


def per_request(port, path="/", host="127.0.0.1"):
    """An HTTP/1.1 client with a connection for each request."""
    def client(run):
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Connection": "close"})
            response = connection.getresponse()
            body = response.read()
            expect(response.status == 200, f"status {response.status}: {body[:100]}")
            run.ok(response.getheader("X-Generation"))
    return client


def main(*checks):
    """Runs each check on a service of its own; exits 1 if one fails."""
    parser = argparse.ArgumentParser(description="Checks one example under upgrades.")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "dist" / "bin",
                        help="where the example and swapctl are")
    parser.add_argument("checks", nargs="*", help="names of checks; default: all of this file")
    options = parser.parse_args()
    failed = False
    for check in checks:
        if options.checks and check.__name__ not in options.checks:
            continue
        began = time.monotonic()
        with contextlib.closing(Service(options.bin.resolve())) as service:
            try:
                check(service)
                service.finish()
                verdict = "ok"
            except (Exception, KeyboardInterrupt) as error:  # pylint: disable=broad-except
                failed = True
                verdict = "FAILED"
                if not isinstance(error, CheckFailed):
                    traceback.print_exc()
                print(f"  {error}", file=sys.stderr)
                if service.log.exists():
                    for line in service.log.read_text(errors="replace").splitlines()[-25:]:
                        print(f"  | {line}", file=sys.stderr)
        name = pathlib.Path(sys.argv[0]).stem
        print(f"{name}: {check.__name__}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(1 if failed else 0)
