# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as a client writes it: requests that last as long as a check wants them to.

The servers under test say in X-Generation which generation answers. A response whose body has a
known length is paced by examples/web: `GET /body?n=BYTES&ms=PAUSE`.
"""

import re
import socket
import subprocess

from .checks import PATIENCE, expect
from .network import until_end

REQUEST = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
CHUNK = 16384
PAUSE_MS = 50


def generation(head):
    """Returns which generation has sent the head of a response."""
    found = re.search(rb"(?i)\r\nx-generation: *(\d+)", head)
    expect(found, f"an answer without X-Generation: {head}")
    return int(found[1])


def read_head(connection):
    """Returns the head of a response, and what has come of its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(65536)
        expect(data, f"the connection ended after {received}")
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def answered(connection):
    """Asks once, and reads the answer."""
    connection.sendall(REQUEST)
    text = b""
    while not text.endswith(b"hello\n"):
        more = connection.recv(1000)
        expect(more, f"no answer: {text}")
        text += more
    return text


class PacedRequest:
    """A request that has been sent over a connection of its own, whose response takes a while.

    It may wait in the queue of the listener. The server paces the body of the response, which takes
    so many seconds.
    """

    def __init__(self, seconds=0, port=8080):
        self.length = CHUNK * (int(seconds * 1000 / PAUSE_MS) + 1)
        self.received = 0
        self.head = ""
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.sendall(
            f"GET /body?n={self.length}&ms={PAUSE_MS} HTTP/1.1\r\nHost: localhost\r\n"
            "Connection: close\r\n\r\n".encode())

    def begin(self):
        """Reads the head of the response; returns the generation that answers."""
        head, body = read_head(self.socket)
        self.received = len(body)
        self.head = head.decode()
        return generation(head)

    def finish(self):
        """Reads to the end, which must be where the head has announced it."""
        try:
            while data := self.socket.recv(65536):
                self.received += len(data)
        except OSError as error:
            expect(False, f"{error} after {self.received} of {self.length} bytes")
        expect(self.received == self.length, f"cut after {self.received} of {self.length} bytes")
        self.socket.close()


class Upload:
    """A POST whose body goes on until it is finished."""

    PART = b"y" * 10_000

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.connection.sendall(
            b"POST /upload HTTP/1.1\r\nHost: example\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
        self.size = 0
        self.proceed()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def proceed(self):
        self.connection.sendall(b"%x\r\n%s\r\n" % (len(self.PART), self.PART))
        self.size += len(self.PART)

    def finish(self):
        self.connection.sendall(b"0\r\n\r\n")
        head, _, body = until_end(self.connection).partition(b"\r\n\r\n")
        return head, dechunked(head, body)


class Download:
    """A GET whose response is larger than all buffers on its way, and read bit by bit."""

    SIZE = 12_000_000

    def __init__(self, port):
        self.connection = socket.socket()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.connection.settimeout(PATIENCE)
        self.connection.connect(("127.0.0.1", port))
        self.connection.sendall(
            b"GET /body?chunks=%d&ms=0 HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n"
            % (self.SIZE // 1000))
        self.parts = []
        self.proceed()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def proceed(self):
        part = self.connection.recv(50_000)
        expect(part, "the download ends early")
        self.parts.append(part)

    def finish(self):
        self.parts.append(until_end(self.connection))
        head, _, body = b"".join(self.parts).partition(b"\r\n\r\n")
        return head, dechunked(head, body)


def dechunked(head, body):
    """The body as it was before it was sent in chunks."""
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    whole, start = [], 0
    while start < len(body):
        end = body.index(b"\r\n", start)
        count = int(body[start:end], 16)
        whole.append(body[end + 2:end + 2 + count])
        start = end + count + 4
    return b"".join(whole)


def curl(*arguments):
    """Starts curl; it fails if the answer is not whole or its status is an error."""
    return subprocess.Popen(
        ["curl", "--silent", "--show-error", "--fail", "--include", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process, name):
    """Waits for curl and returns what it got."""
    out, err = process.communicate(timeout=PATIENCE)
    expect(process.returncode == 0, f"{name}: curl: {process.returncode}: {err.decode()}")
    return out
