# SPDX-License-Identifier: Apache-2.0
"""Clients that put load on a server and count what became of each request."""

import contextlib
import http.client
import threading
import traceback

from .checks import PATIENCE, expect


class Run:
    """One client's part of a load: whether it goes on, and what became of its requests."""

    def __init__(self, load, index):
        self.load = load
        self.index = index
        self.served = 0

    def goes_on(self):
        return not self.load.stopping.is_set()

    def ok(self, generation=None):
        """Counts a request that was answered, and the generation if the answer names it."""
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
    """A number of clients, each in a thread of its own.

    `client` is called with a Run, again and again; it makes requests as long as `run.goes_on()` and
    calls `run.ok()` for each that was answered. An exception counts as a failed request. Leaving the
    context stops the clients, prints what they counted, and fails if a request has failed.
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
                    run.served >= goal for run, goal in zip(self.runs, goals)), PATIENCE)
        expect(not self.failures, f"{self.name}: {self.failures[:3]}")
        expect(there, f"{self.name}: a client is not served within {PATIENCE:g} s")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE)
        by = f" by {len(self.generations)} generations" if self.generations else ""
        print(f"  {self.name}: {self.served:,} served{by}, {len(self.failures)} failed", flush=True)
        for failure in self.failures[:5]:
            print(f"    {failure}")
        if kind is None:
            expect(not self.failures, f"{self.name}: {len(self.failures)} failed")
            expect(not any(thread.is_alive() for thread in self.threads),
                   f"{self.name}: a client does not end")


def kept_alive(port, path="/", host="127.0.0.1"):
    """An HTTP/1.1 client that uses its connection until a response says `Connection: close`."""
    def client(run):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
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
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Connection": "close"})
            response = connection.getresponse()
            body = response.read()
            expect(response.status == 200, f"status {response.status}: {body[:100]}")
            run.ok(response.getheader("X-Generation"))
    return client
