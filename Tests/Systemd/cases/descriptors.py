"""Clients that use up the descriptors of a server."""

import os
import pathlib
import select
import socket
import time

from harness import expect
from harness.http1 import PacedRequest
from harness.processes import Process
from testbed import Journal, Manager, install_binary, install_unit
from testbed.machine import PROGRAMS
from testbed.web import Web

LIMITS = "[Service]\nLimitNOFILE=256\nWatchdogSec=2\n"
DENIED = "[Service]\nSystemCallFilter=~accept accept4\nSystemCallErrorNumber=EPERM\n"
# Longer than three periods of the watchdog.
SECONDS = 7
CROWD = 400


def used_up_by_clients():
    """Served clients go on, the watchdog is pinged, and status, upgrade and drain work."""
    web = Web.behind_socket_unit(drop_in=LIMITS)
    web.load.stop(least=1)
    old = web.main()
    served = PacedRequest(SECONDS)
    expect(served.begin() == old.pid, "another one answers")
    crowd = [socket.create_connection(("127.0.0.1", 8080)) for _ in range(CROWD)]
    web.journal.wait("connections wait to be accepted", unit=web.unit)

    used, began = processor_seconds(old.pid), time.monotonic()
    served.finish()
    share = (processor_seconds(old.pid) - used) / (time.monotonic() - began)
    expect(share < 0.3, f"the server is busy for {share:.0%} of the time, with nothing to do")
    expect(web.pid == old.pid, f"pid {old.pid} was restarted as {web.pid}")
    status = web.swapctl("status", web.service)
    expect(status.status == 0, status)

    # Clients that are served stay with the old one; those that waited go to the new one.
    web.manager.do("reload", web.unit)
    new = web.main()
    expect(new.pid != old.pid, "the same process after the upgrade")
    late = PacedRequest(1)
    expect(late.begin() == new.pid, "another one answers")
    late.finish()
    for client in crowd:
        client.close()
    drained = web.swapctl("drain", web.service, "--deadline", "0s")
    expect(drained.status in (0, 2), drained)
    new.wait()
    old.wait()
    expect(web.manager.get(web.unit, "NRestarts") == "0", "the service was restarted")


def accept_that_is_denied():
    """An accept that a filter always denies costs no processor, and is reported."""
    manager = Manager()
    install_binary("web", PROGRAMS)
    install_unit("web.socket")
    install_unit("web.service", DENIED)
    journal = Journal()
    manager.do("daemon-reload")
    manager.do("start", "web.socket", "web.service")
    main = Process(manager.main_pid("web.service"))
    with socket.create_connection(("127.0.0.1", 8080)):
        journal.wait("SwiftNIO has closed its server channel", "another one", unit="web.service")
        used, began = processor_seconds(main.pid), time.monotonic()
        # Long enough for several attempts.
        expect(not select.select([main.pidfd], [], [], 3)[0], "the server has ended")
        share = (processor_seconds(main.pid) - used) / (time.monotonic() - began)
        expect(share < 0.3, f"the server is busy for {share:.0%} of the time")


def processor_seconds(pid):
    """Returns how long a process has been running on a processor."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
