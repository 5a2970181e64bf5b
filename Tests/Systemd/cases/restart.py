"""systemctl restart: the sockets stay."""

from harness import expect
from testbed.web import Web


def with_socket_unit():
    """The socket unit keeps the queue."""
    restart(Web.behind_socket_unit())


def with_stored_listener():
    """Without a socket unit, the listener is in the manager's descriptor store."""
    restart(Web.alone())


def restart(web):
    for _ in range(3):
        old = web.main()
        web.manager.do("restart", web.unit)
        new = web.main()
        expect(new.pid != old.pid, "the same process")
        web.load.wait_for(new.pid)
    web.load.stop_without_failures()
