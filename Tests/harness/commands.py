# SPDX-License-Identifier: Apache-2.0
"""Commands that are run to their end."""

import json
import os
import subprocess

from .checks import PATIENCE, expect


class Result:
    """What a command came to."""

    def __init__(self, command, status, output):
        self.command = " ".join(command)
        self.status = status
        self.output = output

    @property
    def objects(self):
        return objects(self.output)

    def __str__(self):
        return f"{self.command}: status {self.status}\n{self.output}"


def objects(output):
    """Returns the JSON objects among the lines of an output."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def run(*command, environment=None, seconds=PATIENCE, **options):
    """Runs a command, with these variables besides our own; returns its status and its output."""
    done = subprocess.run(
        [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=seconds,
        env={**os.environ, **(environment or {})}, check=False, **options)
    return Result([str(part) for part in command], done.returncode, done.stdout)


def make_certificate(directory):
    """Makes a certificate for 127.0.0.1; returns its path and its key's."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    made = run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", key, "-out", certificate)
    expect(made.status == 0, made)
    return certificate, key
