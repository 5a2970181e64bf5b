"""The whole unit is frozen in the middle of an upgrade, and goes on: docker pause, systemctl freeze."""

import time

from testbed import expect
from testbed.checks import PATIENCE
from testbed.web import Web

# Longer than any deadline of a hand-over but that of a start.
FROZEN = 16
# Nobody pings meanwhile; that a frozen unit is no hung one is for the manager to know.
SLOW_START = """
[Service]
WatchdogSec=0
ExecStart=
ExecStart=/usr/local/lib/swift-succession/web --service web --http tcp:8080 --start-delay 1500ms
"""


def during_an_upgrade():
    """Nobody has been slow: the upgrade is done."""
    web = Web.behind_socket_unit(drop_in=SLOW_START)
    old = web.main()
    job = web.manager.start_to("reload", web.unit)
    deadline = time.monotonic() + PATIENCE
    # The successor has begun, and builds its server.
    while not any(web.swapctl_status("starting")):
        expect(time.monotonic() < deadline, "no successor")
    with web.frozen():
        time.sleep(FROZEN)
    output, _ = job.communicate(timeout=PATIENCE)
    expect(job.returncode == 0, output)
    expect(web.pid != old.pid, "not upgraded")
    web.load.wait_for(web.pid)
    web.manager.expect_active(web.unit)
    expect(web.manager.get(web.unit, "NRestarts") == "0", "the service was restarted")
    web.load.stop_without_refusals(cut=8)
