"""A thousand ticks over a thousand series in a process of the daemon's own, scraped meanwhile: how its memory grows."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

from sloagent.evaluation.drift import growth
from tests.bench import data
from tests.bench.data import Ground
from tests.bench.figures import Figure, at_most

TICKS = 1000
SCRAPED_EVERY = 10
WARM_UP = 100
"""Ticks that do not count for the slope: caches fill, the store's log reaches its size."""
FIRST = data.START + 600


def measure(ground: Ground) -> list[Figure]:
    sets = data.day_sets(ground.directory, 1000)
    configuration = ground.configuration("memory", ground.generated, str(sets))
    kibibytes = _resident(configuration)
    grown = growth([(tick * 60, value * 1024) for tick, value in enumerate(kibibytes)][WARM_UP:], TICKS)
    if grown is None:
        raise RuntimeError("too few ticks to tell a slope")
    shown = f"generated: {TICKS:,} ticks of 1,000 series, scraped every {SCRAPED_EVERY}th"
    return [
        at_most("resident memory of the daemon, at most", shown, max(kibibytes) / 1024, 70.0, lambda v: f"{v:.1f} MiB"),
        at_most("its slope, upper 95 % bound", shown, grown.upper * 60 / 1024, 1.0, lambda v: f"{v:.3f} KiB a tick"),
    ]


def _resident(configuration: Path) -> list[int]:
    """Resident KiB of the child after each tick."""
    command = [sys.executable, "-m", "tests.bench.memory", str(configuration)]
    found: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        for line in child.stdout:
            found.append(int(line))
            if len(found) % SCRAPED_EVERY == 0:
                with urllib.request.urlopen(f"{url}/metrics") as answer:
                    answer.read()
    if child.returncode or len(found) != TICKS:
        raise RuntimeError(f"the child ended with {child.returncode} after {len(found)} ticks")
    return found


def _child(configuration: Path) -> None:
    """The daemon without its clock: the same process, source, store, sinks and server; the next tick comes at once."""
    from sloagent.app.daemon import Daemon
    from sloagent.web.server import Server

    daemon = Daemon(configuration)
    server = Server(daemon._application(), "127.0.0.1", 0)
    server.start()
    print(f"http://{server.address}", flush=True)
    agent = daemon._agent
    for slot in range(FIRST, FIRST + 60 * TICKS, 60):
        if agent.cycle.record(agent.cycle.evaluate([(slo, slot) for slo in agent.slos])) != len(agent.slos):
            raise RuntimeError(f"slot {slot} was not recorded")
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        print(pages * 4, flush=True)
    server.stop()
    agent.close()


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
