# SPDX-License-Identifier: Apache-2.0
"""Runs the checks of one example; Tests/Examples/NAME.py calls it.

A check is a function that gets a Service, starts the example in it, and puts load on it:

    def check(service):
        port = harness.free_port()
        service.start("web", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
        with harness.Clients(8, harness.kept_alive(port)) as load:
            service.upgrade_under(load)

    harness.main(check)

An exception, a failed request, or anything left behind at the end fails it.
"""

import argparse
import contextlib
import pathlib
import sys
import time
import traceback

from .checks import ROOT, Failed
from .service import Service


def main(*checks):
    """Runs each check on a service of its own; exits 1 if one fails."""
    parser = argparse.ArgumentParser(description="Checks one example under upgrades.")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "dist" / "bin",
                        help="where the example and swapctl are")
    parser.add_argument("checks", nargs="*", help="names of checks; default: all of this file")
    options = parser.parse_args()
    failed = False
    for check in checks:
        if options.checks and check.__name__ not in options.checks:
            continue
        began = time.monotonic()
        with contextlib.closing(Service(options.bin.resolve())) as service:
            try:
                check(service)
                service.finish()
                verdict = "ok"
            except (Exception, KeyboardInterrupt) as error:  # pylint: disable=broad-except
                failed = True
                verdict = "FAILED"
                if not isinstance(error, Failed):
                    traceback.print_exc()
                print(f"  {error}", file=sys.stderr)
                for line in service.log_lines()[-25:]:
                    print(f"  | {line}", file=sys.stderr)
        name = pathlib.Path(sys.argv[0]).stem
        print(f"{name}: {check.__name__}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(1 if failed else 0)
