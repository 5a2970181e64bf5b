"""ExecReload=swapctl reload: another configuration, the same process."""

import pathlib

from harness import expect
from harness.http1 import PacedRequest
from testbed.web import Web

FILE = pathlib.Path("/etc/web.conf")
DROP_IN = f"""
[Service]
ExecStart=
ExecStart=/usr/local/lib/swift-succession/web --service web --http tcp:8080 --config {FILE}
ExecReload=
ExecReload=/usr/local/bin/swapctl reload web
"""


def reload():
    """An accepted configuration holds at once; a refused one fails the reload with its reason."""
    FILE.write_text("X-Colour: blue\n")
    web = Web.behind_socket_unit(drop_in=DROP_IN)
    pid = web.pid
    expect_colour(web, "blue")
    FILE.write_text("X-Colour: green\n")
    web.manager.do("reload", web.unit)
    expect_colour(web, "green")

    FILE.write_text("no colour\n")
    web.journal.mark()
    result = web.manager.try_to("reload", web.unit)
    expect(result.status != 0, f"a broken configuration: {result}")
    web.journal.wait_for_all("'no colour' is no header", "Reload failed", unit=web.unit)
    expect_colour(web, "green")
    web.manager.expect_active(web.unit)
    expect(web.pid == pid, f"pid {web.pid} serves, not {pid}")
    web.load.stop_without_failures()


def expect_colour(web, colour):
    request = PacedRequest()
    expect(request.begin() == web.pid, "another answers")
    request.finish()
    expect(f"X-Colour: {colour}\r\n" in f"{request.head}\r\n", f"not {colour}: {request.head}")
