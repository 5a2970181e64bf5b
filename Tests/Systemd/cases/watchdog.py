"""WatchdogSec= watches the generation that serves."""

import signal

from harness import expect
from harness.http1 import PacedRequest
from testbed.web import Web

WATCHDOG = "[Service]\nWatchdogSec=1\n"
SLOW_START = """
[Service]
WatchdogSec=1
ExecStart=
ExecStart=/usr/local/lib/swift-succession/web --service web --http tcp:8080 --start-delay 1500ms
"""


def stopped_successor():
    """A successor that is stopped is restarted."""
    web = Web.behind_socket_unit(drop_in=WATCHDOG)
    new = web.reload()
    web.journal.mark()
    new.signal(signal.SIGSTOP)
    web.journal.wait("Watchdog timeout", unit=web.unit)
    web.journal.wait("Started", unit=web.unit)
    expect(web.load.wait_for(web.pid) != new.pid, "not restarted")
    web.load.stop_without_refusals(cut=8)


def upgrades():
    """Upgrades that take longer than the watchdog, and the time after them, cause no restart."""
    web = Web.behind_socket_unit(drop_in=SLOW_START)
    for _ in range(2):
        main = web.reload()
        # As long as three periods of the watchdog.
        request = PacedRequest(3)
        expect(request.begin() == main.pid, "another answers")
        request.finish()
        expect(web.pid == main.pid, f"pid {main.pid} was restarted as {web.pid}")
    expect(web.manager.get(web.unit, "NRestarts") == "0", "the service was restarted")
    web.load.stop_without_failures()
