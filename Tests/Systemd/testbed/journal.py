"""The journal, read as it is written."""

import json
import select
import subprocess
import time

from harness.checks import PATIENCE, Failed


class Journal:
    """All that is logged from the beginning on, in order, as far as it has been waited for."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["journalctl", "--follow", "--no-tail", "--output=json", "--all", "--quiet"],
            stdout=subprocess.PIPE, bufsize=0)
        self.entries = []
        self.buffer = b""
        self.seen = 0

    def wait(self, *texts, unit=None, seconds=PATIENCE):
        """Returns the next entry with all the texts, of or about the unit.

        Entries are consumed: the next call looks at what comes after.
        """
        deadline = time.monotonic() + seconds
        while True:
            while self.seen < len(self.entries):
                entry = self.entries[self.seen]
                self.seen += 1
                if matches(entry, texts, unit):
                    return entry
            if not self.read(deadline):
                raise Failed(f"no line with {' and '.join(texts)} in the journal of {unit}")

    def mark(self):
        """Passes over everything that has been logged until now."""
        self.sync()
        self.seen = len(self.entries)

    def wait_for_all(self, *wanted, unit=None):
        """Returns when each of the wanted, a text or several, has come, and consumes them.

        In any order: two processes that log one after the other may be read the other way round.
        """
        begin = end = self.seen
        for texts in wanted:
            self.seen = begin
            self.wait(*([texts] if isinstance(texts, str) else texts), unit=unit)
            end = max(end, self.seen)
        self.seen = end

    def all(self, *texts, unit=None):
        """Returns every entry with all the texts."""
        self.sync()
        return [entry for entry in self.entries if matches(entry, texts, unit)]

    def sync(self):
        """Reads to the present end: to a line of our own."""
        subprocess.run(["journalctl", "--sync"], check=True)
        token = f"the journal is read to here, {time.monotonic_ns()}"
        subprocess.run(["systemd-cat", "--identifier=testbed", "echo", token], check=True)
        position = 0
        deadline = time.monotonic() + PATIENCE
        while True:
            while position < len(self.entries):
                if token in message(self.entries[position]):
                    del self.entries[position]
                    return
                position += 1
            if not self.read(deadline):
                raise Failed("the journal does not answer")

    def read(self, deadline):
        """Reads what there is, at least one line; returns false at the deadline."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return False
            self.buffer += self.process.stdout.read(65536)
            *lines, self.buffer = self.buffer.split(b"\n")
            self.entries += [json.loads(line) for line in lines]
            if lines:
                return True


def message(entry):
    text = entry.get("MESSAGE", "")
    # journalctl writes what is not UTF-8 as a list of bytes.
    return bytes(text).decode(errors="replace") if isinstance(text, list) else text or ""


def matches(entry, texts, unit):
    if unit and unit not in (
            entry.get("UNIT"), entry.get("USER_UNIT"), entry.get("_SYSTEMD_UNIT"),
            entry.get("_SYSTEMD_USER_UNIT")):
        return False
    return all(text in message(entry) for text in texts)
