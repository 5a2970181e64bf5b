"""swapctl watch as a unit beside the server: what current.conf names is what serves."""

import json
import os
import pathlib
import subprocess

from harness import expect
from testbed.machine import BINARIES, install_unit, put
from testbed.web import Web

SITE = pathlib.Path("/srv/web")
CURRENT = SITE / "current.conf"
WATCH = "web-watch.service"
DROP_IN = f"""
[Service]
ExecStart=
ExecStart={SITE}/web.bin --service web --http tcp:8080
"""


def watch():
    """A good release serves; a broken one is refused with the reason, and the good one serves on."""
    watch_site(None)


def watch_of_another_user():
    """The same in a directory of another user; root works there with the rights of that user."""
    watch_site("daemon")
    owners = {path.owner() for path in (SITE / ".succession").iterdir()}
    expect(owners == {"daemon"}, f"{owners} have written in {SITE}/.succession")


def watch_site(owner):
    for version in ["1.0", "1.1"]:
        put(BINARIES / "web", release(version))
    script = pathlib.Path("/run/broken")
    script.write_text("#!/bin/sh\nexit 3\n")
    put(script, release("1.2"))
    CURRENT.write_text(json.dumps({"bin.file": str(release("1.0"))}))
    (SITE / "web.bin").symlink_to(release("1.0"))
    if owner:
        subprocess.run(["chown", "-Rh", f"{owner}:", SITE], check=True)
    web = Web.behind_socket_unit(drop_in=DROP_IN)
    install_unit(WATCH)
    web.manager.do("daemon-reload")
    web.manager.do("start", WATCH)
    expect_agreement(web, "1.0")

    use(web, "1.1")
    web.journal.wait("serves web.1.1", unit=WATCH)
    web.load.wait_for(web.pid)
    expect_agreement(web, "1.1")

    use(web, "1.2")
    web.journal.wait("web.1.2 failed", "status 3", unit=WATCH)
    expect_agreement(web, "1.1")
    for unit in [web.unit, WATCH]:
        web.manager.expect_active(unit)
    web.load.stop_without_failures()


def release(version):
    return SITE / "release" / f"web.{version}"


def use(web, version):
    result = web.swapctl("release", "use", version, "--current", CURRENT)
    expect(result.status == 0, f"{result}")


def expect_agreement(web, version):
    named = json.loads(CURRENT.read_text())["bin.file"]
    link = os.path.realpath(SITE / "web.bin")
    serving = os.readlink(f"/proc/{web.pid}/exe")
    expect(
        {named, link, serving} == {str(release(version))},
        f"current.conf names {named}, the link leads to {link}, and {serving} serves")
