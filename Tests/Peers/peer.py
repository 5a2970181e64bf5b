#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An echo server that can be the successor of any generation and the predecessor of the next."""
import argparse
import asyncio
import contextlib
import fcntl
import os
import re
import socket
import struct
import sys
import time

from listener import Listener, bind, is_living
from predecessor import Upgrade, tell
from successor import Start, succeed
from wire import KINDS, Channel, Failure, Gone, Raw, join_list


def runtime_directory(service):
    first = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    base = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "/run")
    path = os.environ.get("SUCCESSION_RUNTIME_DIRECTORY") or first or f"{base}/{service}"
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path

REQUESTS = {kind for kind, (_, senders) in KINDS.items() if "operator" in senders} - {"refused"}


class Server:
    def __init__(self, service):
        self.service, self.directory, self.generation = service, runtime_directory(service), 0
        self.listeners, self.connections, self.upgrade = [], {}, None
        self.began, self.finished, self.tasks = time.monotonic(), asyncio.Event(), set()
        self.drain_end, self.watchers, self.sooner = None, [], asyncio.Event()
        self.succeeding = None  # the channel, until `committed`
        self.predecessor = None  # the channel, from `accepting` until the predecessor is gone
        self.enter("starting")

    def enter(self, state):
        self.state, self.since = state, time.monotonic()

    def path(self, name):
        return os.path.join(self.directory, name)

    def spawn(self, coroutine):
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # Beginning

    def begin(self, specs):
        """Becomes the first generation of a line."""
        lock = os.open(self.path("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"{self.service} is running already") from None
        living = [int(n[:-5]) for n in os.listdir(self.directory)
                  if re.fullmatch(r"[0-9]+\.sock", n) and is_living(self.path(n))]
        self.adopt(max(living, default=0) + 1, [Listener(lock, "lock"), *map(bind, specs)])
        self.serve()
        print(f"ready {self.generation} {os.getpid()}", flush=True)

    def adopt(self, generation, listeners, state=b""):
        """Takes its number and its descriptors, and opens the control socket."""
        self.generation, self.listeners = generation, listeners
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        temporary = self.path(f".{generation}.{os.getpid()}")
        self.control.bind(temporary)
        os.chmod(temporary, 0o600)
        self.control.listen(16)
        self.control.setblocking(False)
        os.rename(temporary, self.path(f"{generation}.sock"))
        asyncio.get_running_loop().add_reader(self.control, self.accept_operator)

    # Serving

    @property
    def sockets(self):
        return [each for each in self.listeners if each.sock]

    def serve(self):
        """Accepts, for the first time or again, and says so in the runtime directory."""
        self.link()
        for each in self.sockets:
            each.sock.setblocking(False)
            take = self.accept if each.accepts else self.answer_datagram
            asyncio.get_running_loop().add_reader(each.sock, take, each)
        if self.state != "serving":
            self.enter("serving")

    def link(self):
        temporary = self.path(f".serving.{os.getpid()}")
        os.symlink(f"{self.generation}.sock", temporary)
        os.rename(temporary, self.path("serving"))

    def pause(self):
        """Takes nothing more from any queue, closes nothing."""
        self.enter("standby")
        for each in self.sockets:
            asyncio.get_running_loop().remove_reader(each.sock)

    def accept(self, listener):
        try:
            sock, peer = listener.sock.accept()
        except OSError:
            return  # the client left, or another generation was quicker
        sock.setblocking(False)
        task = self.spawn(self.echo(sock))
        self.connections[task] = (time.monotonic(), listener.scheme, peer)
        task.add_done_callback(self.connections.pop)

    async def echo(self, sock):
        loop = asyncio.get_running_loop()
        with sock:
            try:
                await loop.sock_sendall(sock, b"gen=%d\n" % os.getpid())
                while data := await loop.sock_recv(sock, 65536):
                    await loop.sock_sendall(sock, data)
            except OSError:
                pass

    def answer_datagram(self, listener):
        try:
            listener.sock.sendto(*listener.sock.recvfrom(65536))
        except OSError:
            pass

    async def drain(self, seconds, *watchers):
        """Serves what is open until the deadline, then cuts it and ends the process."""
        self.watchers += watchers
        end = time.monotonic() + seconds
        if self.drain_end:  # it drains already, and the earlier deadline counts
            self.drain_end = min(self.drain_end, end)
            self.progress(watchers)
            self.sooner.set()
            return await self.finished.wait()
        self.drain_end = end
        if self.predecessor:
            tell(self.predecessor, "leaving")
        self.pause()
        for each in self.listeners:
            each.sock.close() if each.sock else os.close(each.fd)
        self.enter("draining")
        while True:
            self.progress(self.watchers)
            if not self.connections or not self.remaining():
                break
            self.sooner.clear()
            sooner = self.spawn(self.sooner.wait())
            await asyncio.wait({*self.connections, sooner}, timeout=min(1, self.remaining() / 1000),
                               return_when=asyncio.FIRST_COMPLETED)
            sooner.cancel()
        cut = list(self.connections)
        for task in cut:
            task.cancel()
        self.leave()
        for watcher in self.watchers:
            tell(watcher, "drained", ("CUT", len(cut)))
        self.finished.set()

    def progress(self, watchers):
        for watcher in watchers:
            tell(watcher, "draining", ("CONNECTIONS", len(self.connections)),
                 ("REMAINING_MS", self.remaining()))

    async def told_to_leave(self, seconds, operator):
        reason = f"generation {self.generation} was told to leave"
        if self.succeeding:
            self.leave()
            self.succeeding.abort(Failure("operator", reason))
            os._exit(1)
        if self.upgrade and not self.drain_end:
            await self.upgrade.call_off(reason)
        await self.drain(seconds, operator)

    async def abort(self, operator, pid):
        """Calls the upgrade off, and answers when it is undone."""
        if self.succeeding or not self.upgrade:
            raise Failure("no-upgrade", "there is nothing to call off here")
        if self.drain_end:
            raise Failure("too-late", f"generation {self.generation + 1} has taken over already")
        began, successor = time.monotonic(), self.upgrade.successor
        await self.upgrade.call_off(f"called off by pid {pid}")
        pairs = [("GENERATION", self.generation), ("PID", os.getpid())]
        if successor:
            pairs.append(("SUCCESSOR", successor.process.pid))
        operator.send("aborted", *pairs, ("ELAPSED_US", int((time.monotonic() - began) * 1e6)))

    def remaining(self):
        return max(0, int((self.drain_end - time.monotonic()) * 1000))

    def leave(self):
        """Removes its control socket, and the link where that is still its own."""
        own = f"{self.generation}.sock"
        with contextlib.suppress(FileNotFoundError):  # the successor may have left, too
            if os.readlink(self.path("serving")) == own:
                os.unlink(self.path("serving"))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(own))

    # The control socket

    def accept_operator(self):
        try:
            sock, _ = self.control.accept()
        except OSError:
            return
        self.spawn(self.answer(Channel(sock)))

    async def answer(self, operator):
        """Answers one request."""
        credentials = operator.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid, user, _ = struct.unpack("3i", credentials)
        try:
            if user not in (0, os.geteuid()):
                raise Failure("permission", "neither root nor the server's user")
            while True:
                request = await operator.receive(10)
                for fd in request.fds:
                    os.close(fd)
                if request.kind in REQUESTS:
                    break
                if request.kind != "refused":  # which is never answered
                    tell(operator, "refused", ("CODE", "unknown-kind"),
                         ("REASON", f"what is {request.kind}?"))
            await self.perform(request, operator, pid)
        except Gone:
            pass
        except Failure as failure:
            tell(operator, "refused", ("CODE", failure.code), ("REASON", failure.reason))
        operator.close()

    async def perform(self, request, operator, pid):
        if request.kind == "status":
            return operator.send("status", *self.status())
        if request.kind == "abort":
            return await self.abort(operator, pid)
        if request.kind == "reload":
            raise Failure("unsupported", "there is nothing to reload here")
        if request.kind != "upgrade":
            seconds = request.number("DEADLINE_MS", 30_000) / 1000 if request.kind == "drain" else 0
            return await self.told_to_leave(seconds, operator)
        if self.upgrade:
            raise Failure("busy", "an upgrade is running")
        if self.state != "serving":
            raise Failure("not-serving", f"this generation is {self.state}")
        upgrade = self.upgrade = Upgrade(self, request, operator, pid)
        try:
            await upgrade.run()
        finally:
            self.upgrade = None
            upgrade.over.set()

    def status(self):
        now = time.monotonic()
        micros = lambda since: int((now - since) * 1e6)
        pairs = [("SERVICE", self.service), ("GENERATION", self.generation), ("PID", os.getpid()),
                 ("STATE", self.state), ("STATE_US", micros(self.since)),
                 ("UPTIME_US", micros(self.began)), ("EXECUTABLE", os.readlink("/proc/self/exe")),
                 ("CONNECTIONS", len(self.connections)), ("LISTENERS", len(self.sockets))]
        if self.drain_end:
            pairs.append(("REMAINING_MS", self.remaining()))
        elif self.upgrade and self.upgrade.successor:
            pairs += [("UPGRADE", self.upgrade.successor.process.pid),
                      ("UPGRADE_US", micros(self.upgrade.began)), ("UPGRADE_BY", self.upgrade.by)]
        pairs += [("LISTENER", Raw(each.line)) for each in self.sockets[:100]]
        for since, scheme, peer in sorted(self.connections.values(), key=lambda c: c[0])[:5]:
            name = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else os.fsdecode(peer) or "-"
            pairs.append(("OLDEST", Raw(join_list(micros(since), scheme, name))))
        return pairs


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", required=True)
    parser.add_argument("--listen", action="append", default=[], metavar="NAME=ADDRESS")
    parser.add_argument("--features", default="state memfd leaving",
                        help="what a successor says it knows")
    parser.add_argument("--without-capture", action="store_true",
                        help="leave a successor's standard error alone, as where memfds are denied")
    options = parser.parse_args()
    start = Start.from_environment()
    server = Server(options.service)
    server.features, server.captures = options.features, not options.without_capture
    if start:
        await succeed(server, start)
    else:
        server.begin(options.listen)
    await server.finished.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
