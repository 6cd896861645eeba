"""A storm before the door while a thousand series are evaluated: everybody else is served, and nothing grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.prometheus import Prometheus
from tests.storm import (
    DEAF,
    SERIES,
    SILENT,
    SLOW,
    THOUSAND,
    Calm,
    Result,
    ask_meanwhile,
    result,
    scrapes,
    shown,
    state,
    storm,
    thousand_series,
)

SECONDS = 8
GROWTH_MEBIBYTES = 32.0


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    place = tmp_path_factory.mktemp("storm")
    with thousand_series() as port, Prometheus(place / "data", config=scrapes(port)) as prometheus:
        agent = AgentDirectory(
            place / "agent", prometheus.url, slos={"own.yaml": THOUSAND}, extra="evaluation: {delay: 1s}\n"
        )
        with DaemonProcess(agent) as running:
            wait_until(lambda: shown(running) == SERIES, 60, "a verdict of every series")
            yield running


def raged(daemon: DaemonProcess) -> tuple[Result, Calm]:
    assert daemon.process is not None
    address = daemon.url.removeprefix("http://")
    with storm(address, SECONDS) as process:
        calm = ask_meanwhile(address, daemon.process.pid, process)
        return result(process), calm


def halves(storm_result: Result) -> list[str]:
    """Pages of the 50 scrapes at once that broke off. One that got nothing made room before its request was read.

    That happens where other programs take the processor: 50 come at once, among 800 that are slow.
    """
    nothing = (repr(b" ... "), "ConnectionResetError", "BrokenPipeError")
    return [page for page in storm_result.broken if not page.startswith(nothing)]


def test_in_a_storm_everybody_else_is_served_the_slow_are_closed_and_nothing_grows(daemon: DaemonProcess) -> None:
    assert daemon.process is not None
    evaluated = daemon.metric("sloagent_evaluations_total", outcome="pass") or 0
    threads, resident = state(daemon.process.pid)
    first, calm = raged(daemon)
    assert calm.failures == []
    assert len(calm.seconds) > 50
    assert halves(first) == []
    assert len(first.scraped) >= 50
    assert first.closed >= SLOW + SILENT + DEAF - 128, "what is slow is let go"
    assert first.refused >= 10
    assert (daemon.metric("sloagent_evaluations_total", outcome="pass") or 0) > evaluated, "and the work goes on"
    second, again = raged(daemon)
    assert (halves(second), again.failures) == ([], [])
    assert len(second.scraped) >= 50
    assert again.threads <= max(threads, calm.threads)
    assert calm.threads <= threads + 3, "the door's own, which are begun when they are needed"
    assert again.resident_mebibytes <= resident + GROWTH_MEBIBYTES
    assert "Traceback" not in Path(daemon.log).read_text()
    wait_until(lambda: (daemon.metric("sloagent_web_connections") or 0) < 5, 20, "the calm after it")
