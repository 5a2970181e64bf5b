# SPDX-License-Identifier: Apache-2.0
"""succession-load, the strict client of the project: it never tries again and forgives nothing."""

import json
import re
import select
import subprocess
import time

from .checks import PATIENCE, Failed, expect


class Load:
    """Requests without pause until the report is asked for.

    As a context it begins at once, and fails at the end if a request has failed.
    """

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen(
            [program, *arguments, "--announce", "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.lines = b""
        self.generations = []

    def wait_for(self, pid=None, seconds=PATIENCE):
        """Returns the pid when this generation has answered, or any that had not answered before."""
        deadline = time.monotonic() + seconds
        known = len(self.generations)
        while pid not in self.generations if pid else len(self.generations) == known:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.process.stderr], [], [], left)[0]
            data = self.process.stderr.read(65536) if ready else b""
            if not data:
                raise Failed(f"no answer of pid {pid or 'another generation'}; {self.lines.decode()}")
            self.lines += data
            found = re.findall(rb"generation (\d+) answers\n", self.lines)
            self.generations = [int(number) for number in found]
        return pid or self.generations[known]

    def wait_for_progress(self, _):
        """Returns when a generation answers that had not answered before."""
        self.wait_for()

    def stop(self, least=20):
        """Ends the load and returns the report, of at least so many requests."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        self.lines += errors
        report = json.loads(output)
        report["log"] = self.lines.decode()
        expect(report["requests"] >= least, f"hardly any load: {report}")
        return report

    def stop_without_failures(self):
        """Ends the load; no request may have failed."""
        report = self.stop()
        expect(report["failed"] == 0, f"{report['failed']} failed: {describe(report)}")
        return report

    def stop_without_refusals(self, cut=0):
        """Ends the load; no connection may have been refused.

        `cut` is how many requests may have been lost because they were with a process that was
        killed: no server can save those.
        """
        report = self.stop()
        kinds = report["byCategory"]
        expect(kinds["refused"] == 0, f"{kinds['refused']} refused: {describe(report)}")
        expect(report["failed"] <= cut, f"{report['failed']} lost, {cut} could: {describe(report)}")
        return report

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.process.kill()
            self.process.communicate()
            return
        report = self.stop_without_failures()
        self.generations = [generation["pid"] for generation in report["generations"]]
        print(f"  succession-load: {report['requests']:,} served by {len(self.generations)} "
              "generations, 0 failed", flush=True)


def describe(report):
    return f"{report['byCategory']}\n{report['log']}"
