"""Requests that last as long as a case wants them to."""

import re
import socket

from .checks import expect

CHUNK = 16384
PAUSE_MS = 50


class Response:
    """An answer that the server is in the middle of: its head has come.

    The body takes the time that is asked for, which the server paces.
    """

    def __init__(self, seconds, port=8080):
        self.length = CHUNK * (int(seconds * 1000 / PAUSE_MS) + 1)
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.socket.sendall(
            f"GET /body?n={self.length}&ms={PAUSE_MS} HTTP/1.1\r\nHost: localhost\r\n"
            "Connection: close\r\n\r\n".encode())
        received = b""
        while b"\r\n\r\n" not in received:
            data = self.socket.recv(65536)
            expect(data, f"the connection ended after {received}")
            received += data
        head, _, body = received.partition(b"\r\n\r\n")
        self.received = len(body)
        self.generation = int(re.search(rb"(?i)x-generation: (\d+)", head).group(1))

    def finish(self):
        """Reads to the end, which must be where it was announced."""
        try:
            while data := self.socket.recv(65536):
                self.received += len(data)
        except OSError as error:
            expect(False, f"cut by {error} after {self.received} of {self.length} bytes")
        expect(self.received == self.length, f"cut after {self.received} of {self.length} bytes")
        self.socket.close()


def ask(port=8080):
    """Asks once over a new connection; returns the pid of the generation that answers."""
    response = Response(0, port)
    response.finish()
    return response.generation
