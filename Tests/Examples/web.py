#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/web: HTTP/1.1, kept alive and not, under wrk and strict clients."""

import harness


def ten_upgrades(service):
    port = harness.free_port()
    service.start("web", "--service", service.name, "--http", f"tcp:127.0.0.1:{port}")
    with harness.Clients(4, harness.kept_alive(port), "kept alive") as kept, \
            harness.Clients(2, harness.per_request(port), "one request each") as single, \
            harness.Wrk(f"http://127.0.0.1:{port}/") as wrk:
        service.upgrade_under(kept, single, wrk)


if __name__ == "__main__":
    harness.main(ten_upgrades)
