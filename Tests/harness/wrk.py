# SPDX-License-Identifier: Apache-2.0
"""wrk, and what it has counted."""

import json
import signal
import subprocess

from .checks import PATIENCE, ROOT, Failed, expect


class Report:
    """The requests of one wrk or of several."""

    def __init__(self, requests, errors, latencies):
        self.requests = requests
        # kind -> count
        self.errors = errors
        # (microseconds, count)
        self.latencies = sorted(latencies)

    @classmethod
    def read(cls, output):
        """Reads what scripts/wrk-report.lua has written."""
        lines = output.splitlines()
        expect(lines and lines[-1].startswith("{"), "wrk ended without a report")
        report = json.loads(lines[-1])
        return cls(report["requests"], report["errors"], report["latency_us"])

    @property
    def failed(self):
        return sum(self.errors.values())

    @classmethod
    def sum(cls, reports):
        reports = list(reports)
        return cls(
            sum(report.requests for report in reports),
            {"any": sum(report.failed for report in reports)},
            [entry for report in reports for entry in report.latencies])

    def percentile(self, share):
        """Returns the milliseconds within which this share of the requests was answered."""
        wanted = share * sum(count for _, count in self.latencies)
        for value, count in self.latencies:
            wanted -= count
            if wanted <= 0:
                return value / 1000
        return 0.0


class Wrk:
    """wrk against a URL for so many seconds, or until it is finished before.

    As a context it is finished at the end, and fails if a request has failed.
    """

    def __init__(self, url, *options, connections=16, seconds=86400):
        self.command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s",
                        "-s", ROOT / "scripts" / "wrk-report.lua", *options, url]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def wait_for_progress(self, _):
        """wrk does not say how far it is: this only fails if it has ended."""
        expect(self.process.poll() is None, "wrk has ended")

    def finish(self):
        """Ends the load now, and returns its report."""
        self.process.send_signal(signal.SIGINT)
        return Report.read(self.process.communicate(timeout=PATIENCE)[0])

    def report(self, seconds):
        """Returns the report after the end of the load, for which it waits so long."""
        return Report.read(self.process.communicate(timeout=seconds)[0])

    def close(self):
        """Ends the process if it runs; nothing is reported."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        try:
            report = self.finish()
            print(f"  wrk: {report.requests:,} served, {report.failed} failed", flush=True)
            if kind is None:
                expect(report.requests and not report.failed, f"wrk: {report.errors}")
        except (Failed, subprocess.TimeoutExpired):
            if kind is None:
                raise
        finally:
            self.close()
