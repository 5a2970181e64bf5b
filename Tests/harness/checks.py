# SPDX-License-Identifier: Apache-2.0
"""How a check fails, and how long it waits."""

import os
import pathlib
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Seconds after which a wait has failed, unless it says otherwise.
PATIENCE = float(os.environ.get("HARNESS_PATIENCE", 60))
# Seconds between two questions of `until`.
INTERVAL = 0.01


class Failed(Exception):
    """A check does not hold."""


def expect(condition, message):
    """Fails the check unless the condition holds; unlike assert it cannot be switched off."""
    if not condition:
        raise Failed(message)


def until(condition, what, seconds=PATIENCE):
    """Asks again and again until the answer is true, and returns it.

    Only for what sends no event, such as the number of connections in a status or the descriptors of
    another process. The end of a process is waited for by its pidfd, a line by its pipe.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        expect(time.monotonic() < deadline, f"{what}: not within {seconds:g} s")
        # Limits how often is asked; the result does not depend on it.
        time.sleep(INTERVAL)
    return answer
