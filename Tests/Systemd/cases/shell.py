"""swapctl typed in a shell, outside the unit's cgroup."""

import pathlib

from harness import expect
from testbed.web import Web


def hardened():
    """Does what a reload does, with PrivateUsers= as in the unit."""
    upgrade(Web.behind_socket_unit())


def without_private_users():
    """The same where root outside the unit is root inside it."""
    upgrade(Web.behind_socket_unit(drop_in="[Service]\nPrivateUsers=no\n"))


def upgrade(web):
    for _ in range(3):
        old = web.main()
        result = web.swapctl("upgrade", web.service)
        expect(result.status == 0, f"{result}")
        new = web.main()
        expect(new.pid != old.pid, f"the main process is still {old.pid}\n{result}")
        expect(str(new.pid) in result.output, f"{new.pid} is not named\n{result}")
        expect(new.parent() == web.manager.pid, f"pid {new.pid} is a child of {new.parent()}")
        cgroups = [
            pathlib.Path(f"/proc/{pid}/cgroup").read_text() for pid in (new.pid, "self")]
        expect(web.unit in cgroups[0], f"pid {new.pid} is in {cgroups[0]}")
        expect(web.unit not in cgroups[1], "this is no shell outside")
        web.manager.expect_active(web.unit)
        web.load.wait_for(new.pid)
        old.wait()
    web.load.stop_without_failures()
