"""Requests that last as long as a case wants them to."""

import re
import socket

from .checks import PATIENCE, expect

CHUNK = 16384
PAUSE_MS = 50


class Request:
    """A request that has been sent over a connection of its own.

    Somebody may have taken it, or it waits in the queue of the listener. The body of its answer
    takes the time that is asked for, which the server paces.
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
        """Reads the head of the answer; returns the pid of the generation that answers."""
        received = b""
        while b"\r\n\r\n" not in received:
            data = self.receive()
            expect(data, f"the connection ended after {received}")
            received += data
        head, _, body = received.partition(b"\r\n\r\n")
        self.received = len(body)
        self.head = head.decode()
        return int(re.search(r"(?i)x-generation: (\d+)", self.head).group(1))

    def finish(self):
        """Reads to the end, which must be where it was announced."""
        while data := self.receive():
            self.received += len(data)
        expect(self.received == self.length, f"cut after {self.received} of {self.length} bytes")
        self.socket.close()

    def receive(self):
        try:
            return self.socket.recv(65536)
        except OSError as error:
            expect(False, f"{error} after {self.received} of {self.length} bytes")
