# SPDX-License-Identifier: Apache-2.0
"""What the checks of the examples, the cases beside systemd and the demonstration have in common.

Needs only Python's own library: the demonstration runs on a fresh clone. `Tests/` has to be in sys.path.
"""

from .checks import PATIENCE, Failed, expect, until
from .clients import Clients, kept_alive, per_request
from .examples import main
from .network import free_port
from .service import UPGRADES, Service
from .wrk import Wrk

__all__ = [
    "Clients", "Failed", "PATIENCE", "Service", "UPGRADES", "Wrk", "expect", "free_port",
    "kept_alive", "main", "per_request", "until"]
