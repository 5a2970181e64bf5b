"""kill -9: the manager notices, and the clients in the queue are served."""

import time

from harness import expect
from harness.http1 import PacedRequest
from harness.processes import Process
from testbed.web import Web

# Requests that can be with one process at a time: the threads of the load, and one of the case.
IN_FLIGHT = 8


def upgraded_main():
    """The death of a main process that is a successor is noticed at once, as any other's is."""
    web = Web.behind_socket_unit()
    request = PacedRequest(1.5)
    old = web.main()
    expect(request.begin() == old.pid, "another answers")
    new = web.reload()
    expect(old.is_alive(), "nothing is left to drain")
    web.journal.mark()
    killed = time.monotonic()
    new.kill()
    entry = web.journal.wait("Main process exited", "killed", unit=web.unit)
    noticed = int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6 - killed
    expect(noticed < 1, f"noticed after {noticed:.1f} s")
    # The manager lets the old one finish before it starts a new one.
    request.finish()
    web.journal.wait("Started", unit=web.unit)
    expect(web.load.wait_for(web.pid) not in (old.pid, new.pid), "not restarted")
    web.load.stop_without_refusals(cut=IN_FLIGHT)


def upgraded_main_during_a_long_drain():
    """The new release dies while the old one has half a minute to finish: the restart does not wait."""
    web = Web.behind_socket_unit()
    request = PacedRequest(30)
    old = web.main()
    expect(request.begin() == old.pid, "another answers")
    new = web.reload()
    expect(old.is_alive(), "nothing is left to drain")
    web.journal.mark()
    killed = time.monotonic()
    new.kill()
    entry = web.journal.wait("Started", unit=web.unit)
    took = int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6 - killed
    expect(took < 5, f"nobody served for {took:.1f} s")
    expect(web.load.wait_for(web.pid) not in (old.pid, new.pid), "not restarted")
    web.load.stop_without_refusals(cut=IN_FLIGHT)


def all_with_socket_unit():
    """With every generation dead the queue is the socket unit's."""
    kill_all(Web.behind_socket_unit())


def all_with_stored_listener():
    """With every generation dead the queue is in the descriptor store."""
    kill_all(Web.alone())


def kill_all(web):
    held = PacedRequest(10)
    held.begin()
    new = web.reload()
    generations = [Process(pid) for pid in web.processes()]
    expect(len(generations) == 2, f"alive: {[process.pid for process in generations]}")
    web.journal.mark()
    with web.frozen():
        # These stay in the queue.
        waiting = [PacedRequest() for _ in range(20)]
        # The successor last: while it lives the manager waits.
        for process in sorted(generations, key=lambda process: process.pid == new.pid):
            process.kill()
        for process in generations:
            process.wait()
    answered = {request.begin() for request in waiting}
    for request in waiting:
        request.finish()
    web.journal.wait("Started", unit=web.unit)
    expect(answered == {web.pid}, f"{answered} answered, the main process is {web.pid}")
    web.load.wait_for(web.pid)
    web.load.stop_without_refusals(cut=IN_FLIGHT)
