"""Two instances on one socket unit."""

from harness import expect
from testbed.web import Web


def a_and_b():
    """The service moves from instance to instance and back."""
    web = Web(
        "web-front.socket", "web@.service", start=["web-front.socket", "web@a.service"])
    for old, new in [("a", "b"), ("b", "a")]:
        web.manager.do("start", f"web@{new}.service")
        web.load.wait_for(web.manager.main_pid(f"web@{new}.service"))
        web.manager.do("stop", f"web@{old}.service")
        web.manager.expect_active(f"web@{new}.service")
    report = web.load.stop_without_failures()
    expect(len(report["generations"]) == 3, f"{report['generations']}")
