# SPDX-License-Identifier: Apache-2.0
"""The successor's side of the channel."""
import contextlib
import fcntl
import os
import socket
import sys

from listener import Listener, is_living
from wire import Aborted, Channel, Failure, Gone

ANSWER, COMMIT = 10, 15
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Start:
    """What the predecessor put into the environment."""

    def __init__(self, channel, stderr):
        self.channel, self.stderr = Channel(socket.socket(fileno=channel)), stderr

    @classmethod
    def from_environment(cls):
        """The start as a successor, or None; clears the environment."""
        found = [os.environ.pop(f"SUCCESSION_{name}", "")
                 for name in ("CHANNEL", "STDERR", "EXECUTABLE")]
        if not found[0]:
            return None
        channel, stderr = int(found[0]), int(found[1]) if found[1] else None
        for fd in (channel, stderr):
            if fd is not None:
                os.set_inheritable(fd, False)
        return cls(channel, stderr)

    def restore_stderr(self):
        """Copies what was printed so far to the real standard error, and prints there now."""
        if self.stderr is None:
            return
        sys.stderr.flush()
        offset = 0
        try:
            while chunk := os.pread(2, 65536, offset):
                offset += os.write(self.stderr, chunk)
        except OSError:
            pass  # descriptor 2 is no memory file, or nobody reads the real one
        os.dup2(self.stderr, 2)
        os.close(self.stderr)
        self.stderr = None


def read_state(message):
    """The state of a `state` message, inline or sealed in a memory file."""
    size = message.number("SIZE")
    if not message.fds:
        if len(message.body) != size:
            raise Failure("descriptor", f"{len(message.body)} bytes of state came, SIZE={size}")
        return message.body
    fd, *extra = message.fds
    try:
        sealed = fcntl.fcntl(fd, fcntl.F_GET_SEALS) & SEALS == SEALS
        if extra or not sealed or os.fstat(fd).st_size != size:
            raise Failure("descriptor", "the memory file is not sealed, or of another size")
        return os.pread(fd, size, 0) if size else b""
    except OSError as error:
        raise Failure("descriptor", f"not a memory file: {error}") from None
    finally:
        for each in message.fds:
            os.close(each)


async def take(channel, service, features):
    """Says hello and takes all batches and the state: (generation, listeners, state)."""
    channel.send("hello", ("PID", os.getpid()), ("FEATURES", features))
    listeners, index, count, constant = [], 0, 1, None
    while index < count:
        offer = await channel.expect(ANSWER, "offer")
        index += 1
        i, _, n = offer.get("BATCH", "").partition("/")
        if not n.isdecimal() or not i.isdecimal():
            raise Failure("malformed", f"BATCH={i}/{n}")
        if int(i) != index:
            raise Failure("unexpected", f"batch {i} where batch {index} belongs")
        said = (int(n), offer.number("TOTAL"), offer.number("STATE"))
        if said != (constant or said):
            raise Failure("malformed", f"batch {index} contradicts those before it")
        count, constant = int(n), said
        if offer.get("SERVICE") != service:
            raise Failure("application", f"offered {offer.get('SERVICE')}, this is {service}")
        lines = offer.body.decode("utf-8", "surrogateescape").splitlines()
        if len(lines) != len(offer.fds):
            raise Failure("descriptor", f"{len(offer.fds)} descriptors and {len(lines)} lines")
        listeners += [Listener.received(*each) for each in zip(offer.fds, lines)]
        channel.send("taken", ("BATCH", index), ("TAKEN", len(offer.fds)))
    if offer.number("TOTAL") != len(listeners):
        raise Failure("malformed", f"{len(listeners)} descriptors came in all, not TOTAL=")
    state = b""
    if offer.number("STATE"):
        state = read_state(await channel.expect(ANSWER, "state"))
        channel.send("taken", ("STATE", len(state)))
    return offer.number("GENERATION"), listeners, state


async def wait_committed(channel):
    """Says ready and waits for `committed`: False if the predecessor is dead instead."""
    try:
        channel.send("ready")
    except Gone:
        pass  # not the end yet: an abort may be queued
    try:
        await channel.expect(COMMIT, "committed")
        return True
    except Gone:
        return False


async def succeed(server, start):
    """Takes over from the predecessor. Exits if that fails."""
    channel = start.channel
    try:
        server.succeeding = channel
        generation, listeners, state = await take(channel, server.service, server.features)
        print(f"generation {generation}: took {len(listeners)} descriptors, "
              f"{len(state)} bytes of state", file=sys.stderr)
        server.adopt(generation, listeners, state)
        start.restore_stderr()
        alive = await wait_committed(channel)
        server.succeeding = None
        server.serve()
        if alive:
            channel.send("accepting")
    except Gone:
        if server.state != "serving":
            raise SystemExit("the predecessor went before everything was taken") from None
    except Aborted as failure:
        server.leave()
        raise SystemExit(f"the predecessor gave up: {failure}") from None
    except Failure as failure:
        server.leave()
        channel.abort(failure)
        raise SystemExit(f"gave up: {failure}") from None
    print(f"ready {server.generation} {os.getpid()}", flush=True)
    server.spawn(follow(server, channel, server.path(f"{server.generation - 1}.sock")))


async def follow(server, channel, predecessor):
    """Reads what comes until the predecessor is gone; nothing it says changes anything any more."""
    server.predecessor = channel
    while True:
        try:
            await channel.expect(None, "draining", "drained")
        except Failure:
            pass
        except Gone:
            break
    server.predecessor = None
    channel.close()
    with contextlib.suppress(FileNotFoundError):
        is_living(predecessor)
