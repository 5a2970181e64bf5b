"""The whole unit is frozen in the middle of an upgrade and thawed: docker pause, systemctl freeze."""

import time

from harness import PATIENCE, expect
from testbed.web import Web

# Longer than any deadline of a hand-over but that of a start.
FROZEN = 16
# Nobody pings the watchdog while the unit is frozen; the manager would take it for hung.
SLOW_START = """
[Service]
WatchdogSec=0
ExecStart=
ExecStart=/usr/local/lib/swift-succession/web --service web --http tcp:8080 --start-delay 1500ms
"""


def during_an_upgrade():
    """The time that a unit is frozen counts against no deadline: the upgrade succeeds."""
    web = Web.behind_socket_unit(drop_in=SLOW_START)
    old = web.main()
    job = web.manager.start_to("reload", web.unit)
    # The successor has its listeners, and builds its server.
    web.journal.wait("offer", unit=web.unit)
    expect(web.swapctl_status("starting"), "no successor")
    with web.frozen():
        # Not to wait for something: the time is what is tested.
        time.sleep(FROZEN)
    output, _ = job.communicate(timeout=PATIENCE)
    expect(job.returncode == 0, output)
    expect(web.pid != old.pid, "not upgraded")
    web.load.wait_for(web.pid)
    web.manager.expect_active(web.unit)
    expect(web.manager.get(web.unit, "NRestarts") == "0", "the service was restarted")
    web.load.stop_without_refusals(cut=8)
