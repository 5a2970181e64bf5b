"""The strict client of the project, which forgives nothing."""

import json
import re
import select
import subprocess
import time

from .checks import PATIENCE, Failed, expect
from .machine import BINARIES


class Load:
    """Requests without pause until the report is asked for."""

    def __init__(self, *arguments, rate=100):
        self.process = subprocess.Popen(
            [BINARIES / "succession-load", *arguments, "--rate", str(rate), "--announce",
             "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.lines = b""
        self.generations = []

    def wait_for(self, pid=None, seconds=PATIENCE):
        """Returns the pid when this generation, or the next one whichever it is, has answered."""
        deadline = time.monotonic() + seconds
        known = len(self.generations)
        while pid not in self.generations if pid else len(self.generations) == known:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.process.stderr], [], [], left)[0]
            data = self.process.stderr.read(65536) if ready else b""
            if not data:
                raise Failed(f"no answer of pid {pid}; {self.lines.decode()}")
            self.lines += data
            found = re.findall(rb"generation (\d+) answers\n", self.lines)
            self.generations = [int(number) for number in found]
        return pid or self.generations[known]

    def stop(self, least=20):
        """Ends the load and returns the report, of so many requests at least."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        self.lines += errors
        report = json.loads(output)
        report["log"] = self.lines.decode()
        expect(report["requests"] >= least, f"hardly any load: {report}")
        return report

    def stop_without_failures(self):
        """Ends the load; not one request may have failed."""
        report = self.stop()
        expect(report["failed"] == 0, f"{report['failed']} failed: {describe(report)}")
        return report

    def stop_without_refusals(self, cut=0):
        """Ends the load; nobody may have been refused.

        `cut` is how many requests may have been lost because they were with a process that was
        killed: no server can save those.
        """
        report = self.stop()
        kinds = report["byCategory"]
        expect(kinds["refused"] == 0, f"{kinds['refused']} refused: {describe(report)}")
        expect(report["failed"] <= cut, f"{report['failed']} lost, {cut} could: {describe(report)}")
        return report


def describe(report):
    return f"{report['byCategory']}\n{report['log']}"
