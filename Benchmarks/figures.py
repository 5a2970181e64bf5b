"""The figures: what is run, in which order, and what is asked of it."""

import os
import statistics

from machine import Service, free_port

PACKAGE = os.path.dirname(os.path.abspath(__file__))
WARM_UP = 3


class Table:
    """Rows of medians, and whether each keeps its bound."""

    def __init__(self, machine):
        self.machine = machine
        self.before = machine.describe()
        self.lines = []
        self.notes = []
        self.missed = False

    def row(self, what, values, bounds=()):
        """A row of microseconds; a bound is a text and what the median must not exceed."""
        median = statistics.median(values)
        deciles = statistics.quantiles(values, n=10)
        kept = [limit is None or median <= limit for _, limit in bounds]
        self.missed |= not all(kept)
        verdict = ", ".join(
            f"{text}{'' if limit is None else ': kept' if is_kept else ': MISSED'}"
            for (text, limit), is_kept in zip(bounds, kept))
        self.lines.append((
            what, f"{median / 1000:.2f}", f"{deciles[0] / 1000:.2f} … {deciles[8] / 1000:.2f}",
            str(len(values)), verdict))

    def note(self, sentence):
        self.notes.append(sentence)

    def __str__(self):
        head = ("", "median ms", "p10 … p90", "n", "bound")
        widths = [max(len(line[i]) for line in [head, *self.lines]) for i in range(len(head))]
        text = [self.before, ""]
        for line in [head, *self.lines]:
            cells = [
                cell.rjust(width) if 1 <= index <= 3 else cell.ljust(width)
                for index, (cell, width) in enumerate(zip(line, widths))]
            text.append("  ".join(cells).rstrip())
        return "\n".join(text + [""] * bool(self.notes) + self.notes)


def alternate(kinds, rounds):
    """Runs each of the kinds once a round; returns the results of each, the first rounds left out.

    The order turns from round to round: nobody always comes after the same.
    """
    names = list(kinds)
    results = {name: [] for name in names}
    for number in range(WARM_UP + rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            result = kinds[name]()
            if number >= WARM_UP:
                results[name].append(result)
    return results


def floor(machine):
    """Starting a static C program that does nothing."""
    return machine.tool("exec-time", machine.programs.tool("exit-at-once"))[0]


def handover(machine, table, rounds):
    for count in (10, 1000):
        service = Service(
            machine, f"bench-{count}",
            [machine.programs.product("succession-fixture"), "serve",
             "--service", f"bench-{count}", "--many", f"{count}=tcp"])
        service.wait_until_ready()
        results = alternate({
            "swift": lambda: handover_time(service),
            "c": lambda: machine.tool("handover-floor", count)[0],
        }, rounds)
        c = statistics.median(results["c"])
        bound = ("≤ 1 ms", 1000) if count == 10 else ("≤ 1.5 × C", 1.5 * c)
        ratio = statistics.median(results["swift"]) / c
        table.row(
            f"hand-over, {count:,} listeners: Swift", results["swift"],
            [(f"{ratio:.2f} × C", None), bound])
        table.row(f"hand-over, {count:,} listeners: C", results["c"])


def handover_time(service):
    for event in service.upgrade():
        if (event.get("event"), event.get("step"), event.get("status")) == ("step", "offer", "ok"):
            return event["elapsed_us"]
    raise service.machine.failed("an upgrade without the step 'offer'")


class Prober:
    """Sees when a new generation answers first; counts what is lost meanwhile."""

    def __init__(self, machine):
        self.machine = machine
        self.requests = {}
        self.lost = {}

    def upgrade(self, service, port, *command):
        elapsed, pid = self._ask(service.name, "upgrade", port, service.pid, *command)
        service.succeeded_by(int(pid))
        return elapsed

    def start(self, port, *command):
        return self._ask("cold", "start", port, *command)[0]

    def _ask(self, name, *rest):
        elapsed, pid, requests, lost = self.machine.tool("first-response", *rest, service=name)
        self.requests[name] = self.requests.get(name, 0) + int(requests)
        self.lost[name] = self.lost.get(name, 0) + int(lost)
        return elapsed, pid

    def note(self, table, name, what, must_lose_none):
        table.note(f"{what}: {self.lost[name]} of {self.requests[name]} requests lost.")
        table.missed |= must_lose_none and self.lost[name] > 0


def response(machine, table, rounds):
    web = [machine.programs.product("web"), "--service"]
    prober = Prober(machine)
    port, cold_port = free_port(), free_port()
    service = Service(
        machine, "bench-web", [*web, "bench-web", "--http", f"tcp:127.0.0.1:{port}"])
    service.wait_until_serving()
    cold = [*web, "bench-cold", "--http", f"tcp:127.0.0.1:{cold_port}"]
    kinds = {
        "signal": lambda: prober.upgrade(service, port),
        "cold": lambda: prober.start(cold_port, *cold),
        "swapctl": lambda: prober.upgrade(
            service, port, service.swapctl, "upgrade", service.name),
    }
    if machine.programs.tableflip:
        add_tableflip(machine, prober, kinds)
    results = alternate(kinds, rounds)
    medians = {name: statistics.median(values) for name, values in results.items()}
    ratio = medians["signal"] / medians["cold"]
    bounds = [(f"{ratio:.2f} × cold start", None), ("≤ 1.3 × cold start", 1.3 * medians["cold"])]
    if "tableflip" in medians:
        bounds.append(("≤ tableflip", medians["tableflip"]))
    table.row("upgrade to first response: web, SIGUSR2", results["signal"], bounds)
    table.row("upgrade to first response: web, swapctl", results["swapctl"])
    table.row("cold start to first response: web", results["cold"])
    prober.note(table, service.name, "web", must_lose_none=True)
    if "tableflip" in results:
        table.row("upgrade to first response: Go, tableflip", results["tableflip"])
        table.row("cold start to first response: Go", results["tableflip cold"])
        prober.note(table, "bench-tableflip", "Go, tableflip", must_lose_none=False)
    else:
        table.note(f"No comparison with tableflip: {machine.programs.why_no_tableflip}.")


def add_tableflip(machine, prober, kinds):
    program = machine.programs.tableflip
    port, cold_port = free_port(), free_port()
    service = Service(machine, "bench-tableflip", [program, "-http", f"127.0.0.1:{port}"])
    service.wait_until_ready()
    kinds["tableflip"] = lambda: prober.upgrade(service, port)
    kinds["tableflip cold"] = lambda: prober.start(
        cold_port, program, "-http", f"127.0.0.1:{cold_port}")


def status(machine, table, rounds):
    service = Service(
        machine, "bench-status",
        [machine.programs.product("succession-fixture"), "serve",
         "--service", "bench-status", "--many", "10=tcp"])
    service.wait_until_ready()
    results = alternate({
        "swapctl": lambda: machine.tool(
            "exec-time", service.swapctl, "status", service.name, service=service.name)[0],
        "floor": lambda: floor(machine),
    }, max(rounds, 50))
    table.row("swapctl status", results["swapctl"], [("≤ 10 ms", 10000)])
    table.row("a static C program that does nothing", results["floor"])


ALL = {"handover": handover, "response": response, "status": status}
