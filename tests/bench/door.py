"""A storm before the door while a thousand series are evaluated each second: how soon everybody else is answered."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.bench.data import Ground
from tests.bench.figures import Figure, at_most
from tests.prometheus import Prometheus
from tests.storm import SCRAPES, SERIES, THOUSAND, ask_meanwhile, result, scrapes, shown, state, storm, thousand_series

SECONDS = 20.0
OTHERS = "others, while 800 slow, 20 deaf, 1 MB headers, 50 scrapes/s"
LIMIT_SECONDS = 0.5


def measure(ground: Ground) -> list[Figure]:
    place = Path(tempfile.mkdtemp(dir=ground.directory))
    with thousand_series() as port, Prometheus(place / "data", config=scrapes(port)) as prometheus:
        agent = AgentDirectory(
            place / "agent", prometheus.url, slos={"own.yaml": THOUSAND}, extra="evaluation: {delay: 1s}\n"
        )
        with DaemonProcess(agent) as daemon:
            assert daemon.process is not None
            wait_until(lambda: shown(daemon) == SERIES, 60, "a verdict of every series")
            address = daemon.url.removeprefix("http://")
            before, _ = state(daemon.process.pid)
            with storm(address, SECONDS) as process:
                calm = ask_meanwhile(address, daemon.process.pid, process)
                stormy = result(process)
    if calm.failures or stormy.broken:
        raise RuntimeError(f"not everybody was served: {(calm.failures + stormy.broken)[:3]}")
    asked = f"{OTHERS}: {len(calm.seconds)} requests"
    many = f"the {SCRAPES} scrapes at once, {SERIES:,} series: {len(stormy.scraped)}"
    return [
        Figure("an answer, half of them within", asked, "", _milliseconds(_share(calm.seconds, 0.5))),
        Figure("an answer, 99 % of them within", asked, "", _milliseconds(_share(calm.seconds, 0.99))),
        at_most("an answer, all of them within", asked, max(calm.seconds), LIMIT_SECONDS, _milliseconds),
        Figure("a scrape, half of them within", many, "", _milliseconds(_share(stormy.scraped, 0.5))),
        Figure("a scrape, 99 % of them within", many, "", _milliseconds(_share(stormy.scraped, 0.99))),
        Figure("connections ended, large headers refused", OTHERS, "", f"{stormy.closed:,}, {stormy.refused:,}"),
        Figure("threads before, and at most", OTHERS, "", f"{before}, {calm.threads}"),
        Figure("resident memory of the daemon, at most", OTHERS, "", f"{calm.resident_mebibytes:.1f} MiB"),
    ]


def _share(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
