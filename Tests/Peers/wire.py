# SPDX-License-Identifier: Apache-2.0
"""Packets and channels: sections 1 and 2 of docs/protocol.md."""
import array
import asyncio
import os
import re
import socket

MAX_PACKET, MAX_FDS = 65536, 252
# Who sends each kind on a channel, and on a control socket.
KINDS = {
    "hello": ("successor", ""),
    "offer": ("predecessor", ""),
    "state": ("predecessor", ""),
    "taken": ("successor", ""),
    "ready": ("successor", ""),
    "committed": ("predecessor", ""),
    "accepting": ("successor", ""),
    "leaving": ("successor", ""),
    "draining": ("predecessor", "generation"),
    "drained": ("predecessor", "generation"),
    "trouble": ("successor", ""),
    "abort": ("predecessor, successor", "operator"),
    "refused": ("predecessor, successor", "operator, generation"),
    "status": ("", "operator, generation"),
    "upgrade": ("", "operator"),
    "step": ("", "generation"),
    "result": ("", "generation"),
    "drain": ("", "operator"),
    "stop": ("", "operator"),
    "aborted": ("", "generation"),
    "reload": ("", "operator"),
    "reloaded": ("", "generation"),
}


class Failure(Exception):
    """The hand-over, or the request, fails; `code` is one of the page's failure codes."""

    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


class Aborted(Failure):
    """The other side sent `abort`."""


class Gone(Exception):
    """End-of-file: the other side is dead or has closed the socket."""


def escape(value, in_list=False):
    pattern = r"[\x00-\x20\x7f%]" if in_list else r"[\x00-\x1f\x7f%]"
    return re.sub(pattern, lambda found: f"%{ord(found[0]):02X}", str(value))


def unescape(value):
    raw = value.encode("utf-8", "surrogateescape")
    if re.search(rb"%(?![0-9A-Fa-f]{2})", raw):
        raise Failure("malformed", f"a lone % in {value!r}")
    raw = re.sub(rb"%(..)", lambda found: bytes([int(found[1], 16)]), raw)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Failure("malformed", f"no UTF-8 in {value!r}") from None


def join_list(*fields):
    return " ".join(escape(field, in_list=True) for field in fields)


def split_list(text):
    return [unescape(field) for field in text.split(" ")]


class Raw(str):
    """A value that is a list of fields, escaped already."""


class Message:
    """One decoded packet; `pairs` holds the values as they were on the wire."""

    def __init__(self, kind, pairs, body=b"", fds=()):
        self.kind, self.pairs, self.body, self.fds = kind, pairs, body, list(fds)

    def all(self, key):
        return [unescape(value) for name, value in self.pairs if name == key]

    def get(self, key, default=None):
        return next(iter(self.all(key)), default)

    def lists(self, key):
        return [split_list(value) for name, value in self.pairs if name == key]

    def number(self, key, default=None):
        text = self.get(key, default)
        if isinstance(text, str):
            if not re.fullmatch(r"[0-9]+", text) or len(text) > 200 or int(text) >> 63:
                raise Failure("malformed", f"{key}={text} is no number")
            return int(text)
        if text is None:
            raise Failure("malformed", f"{self.kind} lacks {key}=")
        return text


def encode(kind, pairs=(), body=b""):
    lines = [f"SUCCESSION/1 {kind}"]
    lines += [f"{key}={value if isinstance(value, Raw) else escape(value)}" for key, value in pairs]
    data = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    return data + b"\n" + body if body else data


def decode(data):
    head, blank, body = data.partition(b"\n\n")
    if not blank and not data.endswith(b"\n"):
        raise Failure("malformed", "the last line has no end")
    first, *lines = head.removesuffix(b"\n").decode("utf-8", "surrogateescape").split("\n")
    found = re.fullmatch(r"SUCCESSION/([0-9]+) ([a-z-]+)", first)
    if found is None:
        version = re.match(r"SUCCESSION/([0-9]+)", first)
        other = version is not None and version[1] != "1"
        raise Failure("version" if other else "malformed", f"bad first line {first!r}")
    if found[1] != "1":
        raise Failure("version", f"version {found[1]} is not spoken here")
    pairs = [line.partition("=")[::2] for line in lines]
    if not all(re.match("[A-Z][A-Z0-9_]*=", line) for line in lines):
        raise Failure("malformed", "a line is not KEY=VALUE")
    for _, value in pairs:
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise Failure("malformed", "a control byte in a value")
        unescape(value)
    return Message(found[2], pairs, body)


async def readable(fd):
    """Waits until fd polls readable."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.add_reader(fd, lambda: future.done() or future.set_result(None))
    try:
        await future
    finally:
        loop.remove_reader(fd)


class Channel:
    """A seqpacket socket that carries messages; owns the socket."""

    def __init__(self, sock):
        self.sock = sock
        sock.setblocking(False)

    def send(self, kind, *pairs, body=b"", fds=()):
        """Sends one packet. Raises Gone if the other side has closed."""
        data = encode(kind, pairs, body)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        for _ in range(2):
            try:
                return self.sock.sendmsg([data], ancillary)
            except ConnectionResetError:
                continue  # it reports, once, that the other side left packets unread
            except BrokenPipeError:
                break
        raise Gone

    def _receive_now(self):
        space = socket.CMSG_SPACE(4 * (MAX_FDS + 3))
        try:
            data, ancillary, flags, _ = self.sock.recvmsg(
                MAX_PACKET, space, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            # The other side closed with packets of ours unread. What it sent before that, an abort
            # perhaps, is still queued behind this error, so this is not yet the end.
            return self._receive_now()
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(payload[:len(payload) - len(payload) % 4])
        try:
            if not data:
                raise Gone
            if flags & socket.MSG_TRUNC:
                raise Failure("malformed", f"a packet of more than {MAX_PACKET} bytes")
            if flags & socket.MSG_CTRUNC:
                raise Failure("descriptor", "descriptors were lost")
            message = decode(data)
            if message.number("FDS", 0) != len(fds):
                raise Failure("descriptor", f"{len(fds)} descriptors came, FDS= says otherwise")
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise
        message.fds = list(fds)
        return message

    async def receive(self, timeout):
        """The next packet. Raises Gone at end-of-file, Failure on a time-out or a bad packet."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    try:
                        return self._receive_now()
                    except BlockingIOError:
                        await readable(self.sock)
        except TimeoutError:
            raise Failure("timeout", "no answer in time") from None

    async def expect(self, timeout, *kinds):
        """The next packet of one of `kinds`; answers unknown ones, raises Aborted on `abort`."""
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        while True:
            message = await self.receive(end and max(0, end - loop.time()))
            if message.kind not in ("offer", "state") or message.kind not in kinds:
                while message.fds:  # nobody asked for them
                    os.close(message.fds.pop())
            if message.kind in kinds:
                return message
            if message.kind == "abort":
                raise Aborted(message.get("CODE", "application"), message.get("REASON", "?"))
            if message.kind == "refused":
                continue
            if message.kind == "trouble" and not {"hello", "taken", "ready"}.isdisjoint(kinds):
                continue  # the successor has not given up: a predecessor does nothing
            if message.kind in KINDS:
                raise Failure("unexpected", f"{message.kind} where {' or '.join(kinds)} belongs")
            self.send("refused", ("CODE", "unknown-kind"),
                      ("REASON", f"what is {message.kind}?"))

    def abort(self, failure):
        """Sends `abort` if it can, and closes."""
        try:
            self.send("abort", ("CODE", failure.code), ("REASON", failure.reason))
        except (Gone, OSError):
            pass
        self.close()

    def close(self):
        self.sock.close()
