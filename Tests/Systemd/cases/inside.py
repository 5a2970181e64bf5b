"""What a successor inherits from its unit."""

import os
import pathlib

from harness import expect
from testbed.web import Web

# Meant for the first process of the unit, or for its control process; never for a successor.
GONE = [
    "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "MAINPID", "MAINPIDFDID",
    "SYSTEMD_EXEC_PID"]
KEPT = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "INVOCATION_ID", "JOURNAL_STREAM", "RUNTIME_DIRECTORY",
        "CREDENTIALS_DIRECTORY"]
DROP_IN = "[Service]\nWatchdogSec=10\nSetCredential=token:secret\n"
STATUS = ["Uid:", "Gid:", "Groups:", "NoNewPrivs:", "Seccomp:", "CapBnd:", "CapEff:", "CapPrm:"]
NAMESPACES = ["mnt", "net", "ipc", "user", "uts", "cgroup"]


def environment():
    """The successor inherits the variables that still hold, and none that is for another process."""
    web = Web.behind_socket_unit(drop_in=DROP_IN)
    first = web.main().environment()
    for name in [*GONE[:3], "WATCHDOG_PID", *KEPT]:
        expect(name in first, f"the first process has no {name}: the case shows nothing")
    for _ in range(2):
        new = web.reload()
        variables = new.environment()
        for name in GONE:
            expect(name not in variables, f"{name}={variables.get(name)} leaked")
        expect(variables.get("WATCHDOG_PID", str(new.pid)) == str(new.pid),
               f"WATCHDOG_PID={variables.get('WATCHDOG_PID')} in pid {new.pid}")
        for name in KEPT:
            expect(variables.get(name) == first[name], f"{name}={variables.get(name)}")
    web.load.stop_without_failures()


def sandboxing():
    """The successor is confined as its predecessor: by the settings of the unit."""
    web = Web.behind_socket_unit()
    old = web.main()
    before = confinement(old.pid)
    expect(before["Uid:"].split()[0] != "0", "it runs as root")
    expect(before["Seccomp:"] == "2" and before["NoNewPrivs:"] == "1", f"{before}")
    expect(before["net"] != os.readlink("/proc/self/ns/net"), "it has the machine's network")
    after = confinement(web.reload().pid)
    expect(after == before, f"{before}\n{after}")
    web.load.stop_without_failures()


def confinement(pid):
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition("\t")
        if name in STATUS:
            found[name] = value.strip()
    for name in NAMESPACES:
        found[name] = os.readlink(f"/proc/{pid}/ns/{name}")
    found["cgroup"] = pathlib.Path(f"/proc/{pid}/cgroup").read_text()
    return found
