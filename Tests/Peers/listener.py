# SPDX-License-Identifier: Apache-2.0
"""Descriptors that are handed over, and their lines in the manifest: section 2.2."""
import fcntl
import os
import socket
import stat

from wire import Failure, join_list, split_list

TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "unix": socket.SOCK_STREAM,
         "unix-seqpacket": socket.SOCK_SEQPACKET, "unix-dgram": socket.SOCK_DGRAM,
         "vsock": socket.SOCK_STREAM}


class Listener:
    """One line of the manifest and its descriptor."""

    def __init__(self, fd, what, origin="-", backlog=0, name="-"):
        self.fd, self.what, self.origin, self.backlog, self.name = fd, what, origin, backlog, name
        self.scheme = what.partition(":")[0]
        self.sock = socket.socket(fileno=fd) if self.scheme in TYPES else None

    @property
    def line(self):
        return join_list(self.what, self.origin, self.backlog, self.name)

    @property
    def accepts(self):
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1

    @classmethod
    def received(cls, fd, line):
        """The descriptor as its line describes it. Raises Failure if it is anything else."""
        try:
            what, origin, backlog, name = split_list(line)[:4]
            backlog = int(backlog)
        except (ValueError, Failure):
            raise Failure("descriptor", f"{line!r} is no line of a manifest") from None
        try:
            if what == "lock":
                check_lock(fd)
            found = cls(fd, what, origin, backlog, name)
            right = found.sock is None or found.is_as_described()
        except OSError as error:
            raise Failure("descriptor", f"{what}: {error}") from None
        if not right:
            raise Failure("descriptor", f"the descriptor is not {what}: {found.sock}")
        return found

    def is_as_described(self):
        if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) != TYPES[self.scheme]:
            return False
        if self.accepts != (TYPES[self.scheme] != socket.SOCK_DGRAM):
            return False
        return self.what == address_of(self.sock, self.scheme)


def address_of(sock, scheme):
    """The address of a socket in the project's notation."""
    family, name = sock.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN), sock.getsockname()
    if family == socket.AF_UNIX:
        kind = sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
        prefix = next(s for s, t in TYPES.items() if s.startswith("unix") and t == kind)
        path = name if isinstance(name, str) else "@" + os.fsdecode(name[1:])
        return f"{prefix}:{path}"
    if family == socket.AF_INET:
        return f"{scheme}:{name[0]}:{name[1]}"
    if family == socket.AF_INET6:
        both = not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) and name[0] == "::"
        return f"{scheme}:*:{name[1]}" if both else f"{scheme}:[{name[0]}]:{name[1]}"
    return f"vsock:{name[0]}:{name[1]}"


def is_living(path):
    """Whether somebody listens there; removes a stale socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return False
    return True


def check_lock(fd):
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise Failure("descriptor", "the lock is no regular file")
    try:  # it succeeds at once on the description that holds the lock, and on no other
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure("descriptor", "somebody else holds the lock") from None


def bind(spec):
    """Binds `NAME=ADDRESS`, of tcp and unix: what the first generation needs."""
    name, _, address = spec.partition("=")
    scheme, _, rest = address.partition(":")
    if scheme == "tcp":
        host, _, port = rest.rpartition(":")
        family = socket.AF_INET6 if host.startswith("[") or host == "*" else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "*":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::" if host == "*" else host.strip("[]"), int(port)))
    elif scheme in ("unix", "unix-seqpacket"):
        sock = socket.socket(socket.AF_UNIX, TYPES[scheme])
        sock.bind("\0" + rest[1:] if rest.startswith("@") else rest)
    else:
        raise SystemExit(f"cannot bind {address}")
    sock.listen(128)
    what = address_of(sock, scheme)
    return Listener(sock.detach(), what, "bound", 128, name)
