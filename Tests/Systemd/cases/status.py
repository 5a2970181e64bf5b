"""What swapctl status says of the unit."""

from harness import expect
from testbed.web import Web

HURTFUL = """
[Unit]
StartLimitIntervalSec=10
[Service]
NotifyAccess=all
NonBlocking=no
KillMode=mixed
Delegate=yes
"""


def delivered_unit():
    """The settings of the unit are shown; the unit of the project causes no warning."""
    web = Web.behind_socket_unit(drop_in="[Service]\nWatchdogSec=10\n")
    web.reload()
    report = ask(web)
    shown = {key: report[key] for key in ["unit", "main_pid", "notify_access", "watchdog_us"]}
    wanted = {
        "unit": web.unit, "main_pid": web.pid, "notify_access": "main", "watchdog_us": 10_000_000}
    expect(shown == wanted, f"{shown}, not {wanted}")
    expect(report["warnings"] == [], f"{report['warnings']}")
    web.load.stop_without_failures()


def hurtful_unit():
    """Each harmful setting causes a warning, and no other does."""
    web = Web.behind_socket_unit(drop_in=HURTFUL)
    codes = sorted(warning["code"] for warning in ask(web)["warnings"])
    wanted = ["delegate", "killmode", "nonblocking", "notifyaccess", "startlimit"]
    expect(codes == wanted, f"{codes}, not {wanted}")


def ask(web):
    result = web.swapctl("status", web.service, "--json")
    expect(result.status == 0, f"{result}")
    return next(event for event in result.objects if event.get("event") == "manager")
