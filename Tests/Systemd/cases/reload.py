"""systemctl reload is an upgrade."""

import os
import pwd

from harness import expect
from testbed import Manager, install_release
from testbed.machine import BINARIES
from testbed.web import Web

SLOW_START = """
[Service]
ExecStart=
ExecStart=/usr/local/lib/swift-succession/web --service web --http tcp:8080 --start-delay 1500ms
"""


def twenty_times():
    """Twenty reloads in a row fail no request; the main process is the new one each time."""
    reload(Web.behind_socket_unit(), 20)


def under_user_manager():
    """The same under the manager of a user."""
    user = pwd.getpwnam("daemon")
    web = Web.behind_socket_unit(manager=Manager.of_user(user))
    reload(web, 5)
    expect(os.stat(f"/proc/{web.pid}").st_uid == user.pw_uid, "it is not the user's")


def reload(web, times):
    web.journal.mark()
    for _ in range(times):
        old = web.main()
        new = web.reload()
        check_step(web, old, new)
    web.load.stop_without_failures()
    expect(web.manager.get(web.unit, "NRestarts") == "0", "the service was restarted")
    strays = web.journal.all("not our child")
    expect(not strays, f"successors that are not the manager's children: {strays}")


def check_step(web, old, new):
    """Checks one reload: who serves, who has left, and what the journal says."""
    expect(new.pid != old.pid, f"pid {old.pid} is still the main process")
    expect(new.parent() == web.manager.pid, f"pid {new.pid} is a child of {new.parent()}, not of the manager")
    web.manager.expect_active(web.unit)
    # Of a user's unit the journal does not know whose the lines of a process were that has ended.
    unit = web.unit if web.manager.scope == "system" else None
    web.journal.wait_for_all(
        "Reloading", ("offer", "ok"), ("commit", "ok"), ("is serving", str(new.pid)), "Reloaded",
        unit=unit)
    old.wait()


def broken_release():
    """A release that does not start fails the reload with its reason, and nothing else happens."""
    web = Web.behind_socket_unit()
    old = web.main()
    with open("/tmp/broken", "w", encoding="ascii") as program:
        program.write("#!/bin/sh\necho 'no such table: users' >&2\nexit 3\n")
    install_release("/tmp/broken")
    web.journal.mark()
    result = web.manager.try_to("reload", web.unit)
    expect(result.status != 0, f"a broken release: {result}")
    web.journal.wait_for_all("no such table: users", "Reload failed", unit=web.unit)
    web.manager.expect_active(web.unit)
    expect(web.pid == old.pid, f"the main process is {web.pid}, not {old.pid}")
    expect(web.processes() == [old.pid], f"left behind: {web.processes()}")

    install_release(BINARIES / "web")
    new = web.reload()
    expect(new.pid != old.pid, "the good release was not started")
    web.load.stop_without_failures()


def while_one_runs():
    """A second reload waits for the first; swapctl, which asks the server, is told who upgrades."""
    web = Web.behind_socket_unit(drop_in=SLOW_START)
    web.journal.mark()
    old = web.main()
    jobs = [web.manager.start_to("reload", web.unit)]
    web.journal.wait("offer", unit=web.unit)
    jobs.append(web.manager.start_to("reload", web.unit))
    busy = web.swapctl("upgrade", web.service)
    expect(busy.status == 75, f"{busy}")
    for job in jobs:
        output, _ = job.communicate(timeout=20)
        expect(job.returncode == 0, output)
    main = web.main()
    web.load.wait_for(main.pid)
    old.wait()
    report = web.load.stop_without_failures()
    seen = [generation["pid"] for generation in report["generations"]]
    expect(len(seen) == 3 and seen[-1] == main.pid, f"{seen} answered, {main.pid} is main")


def slower_than_timeout():
    """The manager waits for a start and an upgrade that take longer than TimeoutStartSec=."""
    web = Web.behind_socket_unit(drop_in="[Service]\nTimeoutStartSec=1\n" + SLOW_START)
    web.reload()
    web.load.stop_without_failures()
