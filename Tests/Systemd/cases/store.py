"""The manager's descriptor store, of a service without a socket unit."""

from harness import expect
from testbed.web import Web

TWO = """
[Service]
ExecStart=
ExecStart=/usr/local/lib/swift-succession/web --service web-notify --http tcp:8080 --echo tcp:8081
"""
ONE = ["/usr/local/lib/swift-succession/web", "--service", "web-notify", "--http", "tcp:8080"]


def contents():
    """Holds each listener once, through upgrades, and none that is no longer used."""
    web = Web.alone(drop_in=TWO)
    before = stored(web)
    for _ in range(3):
        web.reload()
        expect(stored(web) == before, f"{before} descriptors were stored, now {stored(web)}")
    old = web.main()
    result = web.swapctl("upgrade", web.service, "--", *ONE)
    expect(result.status == 0, f"{result}")
    old.wait()
    expect(stored(web) == before - 1, f"of {before} one is not used any more: {stored(web)}")
    web.load.stop_without_failures()


def stored(web):
    return int(web.manager.get(web.unit, "NFileDescriptorStore"))
