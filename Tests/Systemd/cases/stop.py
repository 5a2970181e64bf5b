"""The end of a service: every generation finishes."""

from harness import expect
from harness.http1 import PacedRequest
from testbed.web import Web

SLOW_SUCCESSOR = """
[Service]
ExecStart=
ExecStart=/usr/local/lib/swift-succession/web --service web --http tcp:8080 --start-delay 3s
"""


def two_generations():
    """A stop while an old generation still drains lets both finish; no process is killed."""
    web = Web.behind_socket_unit()
    first = PacedRequest(2)
    old = web.main()
    expect(first.begin() == old.pid, "another answers the first request")
    new = web.reload()
    second = PacedRequest(1)
    expect(second.begin() == new.pid, "another answers the second request")
    expect(old.is_alive(), f"pid {old.pid} has left {first.length} bytes behind")
    web.load.stop_without_failures()
    job = web.manager.start_to("stop", web.unit)
    first.finish()
    second.finish()
    check_end(web, job)


def long_drain():
    """The manager waits for a drain that takes longer than TimeoutStopSec=."""
    web = Web.behind_socket_unit(drop_in="[Service]\nTimeoutStopSec=1\n")
    request = PacedRequest(4)
    request.begin()
    web.load.stop(least=1)
    job = web.manager.start_to("stop", web.unit)
    request.finish()
    check_end(web, job)


def check_end(web, job):
    output, _ = job.communicate(timeout=20)
    expect(job.returncode == 0, output)
    web.journal.wait("Deactivated successfully", unit=web.unit)
    for word in ["SIGKILL", "timed out", "Failed with result"]:
        found = web.journal.all(word, unit=web.unit)
        expect(not found, f"{[entry['MESSAGE'] for entry in found]}")
    expect(web.manager.get(web.unit, "Result") == "success", "not a success")


def during_a_reload():
    """A stop while a successor starts calls the upgrade off, and leaves no failed unit behind."""
    web = Web.behind_socket_unit(drop_in=SLOW_SUCCESSOR)
    old = web.main()
    web.load.stop(least=1)
    reload = web.manager.start_to("reload", web.unit)
    web.journal.wait("offer", unit=web.unit)
    job = web.manager.start_to("stop", web.unit)
    reload.communicate(timeout=20)
    output, _ = job.communicate(timeout=20)
    expect(job.returncode == 0, output)
    # The successor is ended by its predecessor, not by the manager.
    web.journal.wait("was called off", unit=web.unit)
    web.journal.wait("Deactivated successfully", unit=web.unit)
    failed = web.journal.all("Failed with result", unit=web.unit)
    expect(not failed, f"{[entry['MESSAGE'] for entry in failed]}")
    expect(web.manager.get(web.unit, "Result") == "success", "not a success")
    old.wait()
