# SPDX-License-Identifier: Apache-2.0
"""The predecessor's side of the channel, and what it tells the operator."""
import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time

from listener import is_living
from wire import Aborted, Channel, Failure, Gone

ACCEPTING = 5
# They speak of this process alone.
OWN_VARIABLES = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_PID",
                 "MAINPID", "MAINPIDFDID", "SYSTEMD_EXEC_PID", "SUCCESSION_CHANNEL",
                 "SUCCESSION_STDERR", "SUCCESSION_EXECUTABLE"}
BATCH = 100  # of the 252 there may be: long addresses too must fit into one packet


class Successor:
    """The process that is to succeed, its channel and its memory file."""

    def __init__(self, request, captures):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = Channel(ours)
        self.memory = os.memfd_create("stderr") if captures else None
        real = os.dup(2)
        with open("/proc/self/cmdline", encoding="utf-8", errors="surrogateescape") as own:
            arguments = request.all("ARG") or own.read().split("\0")[:-1]
        changes = dict(change.partition("=")[::2] for change in request.all("ENV"))
        kept = {key: value for key, value in os.environ.items() if key not in OWN_VARIABLES}
        environment = kept | changes | {"SUCCESSION_CHANNEL": str(theirs.fileno())}
        if captures:  # else descriptor 2 is the real one, and stays as it is
            environment["SUCCESSION_STDERR"] = str(real)
        try:
            self.process = subprocess.Popen(
                arguments, executable=request.get("EXECUTABLE") or os.readlink("/proc/self/exe"),
                env=environment, stderr=self.memory,
                pass_fds=(theirs.fileno(), real) if captures else (theirs.fileno(),))
        except (OSError, ValueError) as error:
            self.channel.close()
            if captures:
                os.close(self.memory)
            raise Failure("start", str(error)) from None
        finally:
            theirs.close()
            os.close(real)
        self.dead, self.pidfd = asyncio.Event(), os.pidfd_open(self.process.pid)
        asyncio.get_running_loop().add_reader(self.pidfd, self.died)

    def died(self):
        """Makes the death of the process the end of the channel, whoever else may hold it."""
        asyncio.get_running_loop().remove_reader(self.pidfd)
        self.dead.set()
        if self.channel.sock.fileno() >= 0:
            self.channel.sock.shutdown(socket.SHUT_RDWR)

    async def exits(self, timeout):
        try:
            async with asyncio.timeout(timeout):
                await self.dead.wait()
        except TimeoutError:
            pass
        return self.dead.is_set()

    async def end(self, failure):
        """Ends the process: (whether it ended by itself, how it ended, its last lines)."""
        if not isinstance(failure, Aborted):
            self.channel.abort(failure)
        # Who said goodbye is about to exit by itself, with a status worth reporting.
        saying = isinstance(failure, Aborted) or failure.code == "channel"
        by_itself = self.dead.is_set() or (saying and await self.exits(1))
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.dead.is_set():
                self.process.send_signal(number)
                await self.exits(1)
        status = self.process.wait()
        text = b""
        if self.memory is not None:
            text = os.pread(self.memory, 65536, max(0, os.fstat(self.memory).st_size - 4096))
        lines = text.decode("utf-8", "replace").splitlines()[-20:]
        how = ("EXIT", status) if status >= 0 else ("SIGNAL", -status)
        return by_itself, [how] + [("STDERR", line) for line in lines]


class Upgrade:
    """One upgrade of `server`, asked for by the operator at the end of `operator`."""

    def __init__(self, server, request, operator, by):
        self.server, self.request, self.operator, self.by = server, request, operator, by
        self.began = self.step_began = time.monotonic()
        self.successor, self.step, self.left = None, "start", []
        self.task, self.over, self.failure = asyncio.current_task(), asyncio.Event(), None
        misleading = OWN_VARIABLES & {each.partition("=")[0] for each in request.all("ENV")}
        if misleading:
            raise Failure("malformed", f"ENV={min(misleading)} speaks of one process alone")

    async def call_off(self, reason):
        """Returns when the upgrade is undone."""
        self.failure = Failure("operator", reason)
        self.task.cancel()
        await self.over.wait()

    def tell(self, kind, *pairs):
        tell(self.operator, kind, *pairs)

    def report(self, status, detail=""):
        elapsed = int((time.monotonic() - self.step_began) * 1e6)
        self.tell("step", ("STEP", self.step), ("STATUS", status), ("ELAPSED_US", elapsed),
                  ("DETAIL", detail))

    def done(self, next_step, detail=""):
        self.report("ok", detail)
        self.step, self.step_began = next_step, time.monotonic()

    async def run(self):
        """Hands over and drains; or leaves everything as it was."""
        server = self.server
        try:
            self.successor = Successor(self.request, server.captures)
            await self.hand_over(self.successor.channel)
        except (Failure, Gone) as problem:
            await self.undo(problem if isinstance(problem, Failure) else
                            Failure("channel", "it closed the channel before it was ready"))
            return
        except asyncio.CancelledError:
            if not self.failure:
                raise
            self.task.uncancel()
            await self.undo(self.failure)
            return
        self.tell("result", ("RESULT", "committed"), ("GENERATION", server.generation + 1),
                  ("PID", self.successor.process.pid), *[("LEFT", each) for each in self.left])
        self.report("running")
        await server.drain(self.request.number("DRAIN_MS", 30_000) / 1000, self.operator,
                           self.successor.channel)

    async def hand_over(self, channel):
        seconds = self.request.number("TIMEOUT_MS", 60_000) / 1000
        async with deadline(seconds, "it was not ready in time"):
            await channel.expect(None, "hello")
            self.done("offer", f"pid {self.successor.process.pid}")
            await self.offer(channel)
            self.done("ready")
            ready = await channel.expect(None, "ready")
            self.left = [f"'{name}' ({what})" for what, name in ready.lists("LEFT")]
            if self.left and self.request.number("STRICT", 0) == 1:
                raise Failure("left-over", f"it has not taken {', '.join(self.left)}")
            self.done("commit")
        self.server.pause()
        channel.send("committed")
        try:
            async with deadline(ACCEPTING, "it did not accept in time"):
                await channel.expect(None, "accepting")
        except Failure as failure:
            if failure.code != "timeout":
                raise
            await channel.expect(0, "accepting")  # sent in time perhaps, and not read yet
        self.done("drain")

    async def offer(self, channel):
        """Offers all descriptors in batches, without state."""
        given = self.server.listeners
        batches = [given[at:at + BATCH] for at in range(0, len(given), BATCH)] or [[]]
        for index, batch in enumerate(batches, 1):
            channel.send(
                "offer", ("SERVICE", self.server.service),
                ("GENERATION", self.server.generation + 1), ("PID", os.getpid()), ("FEATURES", ""),
                ("BATCH", f"{index}/{len(batches)}"),
                ("TOTAL", len(given)), ("STATE", 0), ("FDS", len(batch)),
                body="".join(f"{each.line}\n" for each in batch).encode("utf-8", "surrogateescape"),
                fds=[each.fd for each in batch])
            taken = await channel.expect(None, "taken")
            if (taken.number("BATCH"), taken.number("TAKEN")) != (index, len(batch)):
                raise Failure("acknowledgement", f"batch {index} was acknowledged wrongly")

    async def undo(self, failure):
        code, reason, rest = failure.code, failure.reason, []
        if self.successor:
            by_itself, rest = await self.successor.end(failure)
            if code == "channel" and by_itself:
                code, reason = "exited", "it ended before it was ready"
            with contextlib.suppress(FileNotFoundError):  # one that was killed has left it
                is_living(self.server.path(f"{self.server.generation + 1}.sock"))
        self.server.serve()
        self.report("failed", reason)
        self.tell("result", ("RESULT", "unchanged"), ("CODE", code), ("REASON", reason),
                  ("GENERATION", self.server.generation), ("PID", os.getpid()), *rest)


@contextlib.asynccontextmanager
async def deadline(seconds, reason):
    """Turns a time-out of the block into a Failure."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Failure("timeout", reason) from None


def tell(channel, kind, *pairs):
    """Sends to somebody who may have left."""
    try:
        channel.send(kind, *pairs)
    except (Gone, OSError):
        pass
