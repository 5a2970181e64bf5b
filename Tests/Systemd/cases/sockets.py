"""Sockets of socket units."""

import re
import socket

from harness import descriptors, expect
from harness.processes import Process
from testbed import Journal, Manager, install_binary, install_unit

UNIT = "kinds.service"
# Name and address as the units give them; the last three are no sockets with an address.
EXPECTED = sorted([
    ("web", "tcp:127.0.0.1:8001"),
    ("web", "tcp:[::1]:8002"),
    ("web", "tcp:*:8003"),
    ("web", "udp:127.0.0.1:8004"),
    ("web", "unix:/run/kinds.stream"),
    ("web", "unix-dgram:/run/kinds.datagram"),
    ("web", "unix-seqpacket:/run/kinds.packets"),
    ("web", "unix:@kinds.abstract"),
    ("v6only", "tcp:[::]:8011"),
    ("kinds-admin.socket", "tcp:127.0.0.1:8010"),
    ("web", "other"), ("web", "other"), ("web", "other"),
])
STREAMS = [
    (socket.AF_INET, ("127.0.0.1", 8001)), (socket.AF_INET6, ("::1", 8002)),
    (socket.AF_INET, ("127.0.0.1", 8003)), (socket.AF_INET6, ("::1", 8003)),
    (socket.AF_INET, ("127.0.0.1", 8010)), (socket.AF_INET6, ("::1", 8011)),
    (socket.AF_UNIX, "/run/kinds.stream"), (socket.AF_UNIX, "\0kinds.abstract"),
]


def arrive():
    """Each of thirteen kinds arrives with its name and address."""
    manager, journal = start()
    process = Process(manager.main_pid(UNIT))
    check_kinds(holdings(journal, process), process)


def upgrade():
    """Each of thirteen kinds is the very same socket after an upgrade."""
    manager, journal = start()
    old = Process(manager.main_pid(UNIT))
    before = holdings(journal, old)
    manager.do("reload", UNIT)
    new = Process(manager.main_pid(UNIT))
    expect(new.pid != old.pid, "the same process after the upgrade")
    after = holdings(journal, new)
    expect(after == before, f"not what it was before:\n{before}\n{after}")
    check_kinds(after, new)
    old.wait()


def accept_yes():
    """A socket unit that passes connections is refused with its name and the remedy."""
    install_binary("succession-fixture", "/usr/local/lib/swift-succession")
    install_unit("accept@.service")
    install_unit("accept.socket")
    journal = Journal()
    Manager().do("start", "accept.socket")
    with socket.create_connection(("127.0.0.1", 8020), 10) as client:
        journal.wait("'connection' (descriptor 3) is a connection from 127.0.0.1:", "Accept=no")
        expect(client.recv(100) == b"", "an answer of a server that was not started")


def start():
    install_binary("succession-fixture", "/usr/local/lib/swift-succession")
    install_binary("swapctl", "/usr/local/bin")
    sockets = ["kinds.socket", "kinds-admin.socket", "kinds-v6only.socket"]
    for unit in [*sockets, UNIT]:
        install_unit(unit)
    manager = Manager()
    journal = Journal()
    manager.do("start", *sockets)
    manager.do("start", UNIT)
    return manager, journal


def holdings(journal, process):
    """Returns (name, address, what it is to the kernel) of all that a generation said it holds."""
    journal.wait("ready ", f" {process.pid}", unit=UNIT)
    found = []
    for entry in journal.all("holds ", unit=UNIT):
        if int(entry["_PID"]) == process.pid:
            _, name, origin, address, link = entry["MESSAGE"].split(" ")
            expect(origin == "activation", f"{name} {address} is {origin}")
            found.append((name, address, link))
    return sorted(found)


def check_kinds(held, process):
    names = sorted((name, address) for name, address, _ in held)
    expect(names == EXPECTED, f"other names and addresses: {names}")
    links = [link for _, address, link in held if address == "other"]
    for wanted in ["/run/kinds.fifo", "/kinds.queue", "socket:"]:
        matching = [link for link in links if link.startswith(wanted)]
        expect(len(matching) == 1, f"{wanted}: {links}")
    # What a process says of itself is not what it has.
    open_now = list(descriptors.table(process.pid).values())
    for _, address, link in held:
        expect(open_now.count(link) == 1, f"{address} is {link}; open are {open_now}")
    for family, address in STREAMS:
        greeting = greet(family, address)
        expect(greeting == process.pid, f"{address}: pid {greeting} answers")


def greet(family, address):
    """Returns the pid of the generation that answers there."""
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(address)
        return int(re.fullmatch(rb"gen=(\d+)\n", connection.recv(100)).group(1))
