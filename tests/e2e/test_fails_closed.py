"""It fails closed: whatever is wrong with the answer, no verdict is a pass, and each says why in its own words.

Where a real Prometheus can be brought to answer so, it is asked; where it cannot, a server fails on purpose in front of it.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import faults
from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.faults import Fault, FaultServer
from tests.prometheus import Prometheus, blocks_from_openmetrics

START, STEP, SAMPLES = 1_790_000_000, 15, 121
AT = "2026-09-21T14:40:00Z"
FROM, TO = "2026-09-21T14:37:00Z", AT

GOOD = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: good}
defaults: {interval: 1m, window: 5m}
slos:
  - name: latency
    sli: {latency: {histogram: good_seconds, by: [verb]}}
    objective: {percentile: 99, at_most: 1s}
  - name: ratio
    sli:
      ratio:
        bad: sum(rate(calls_total{code="500"}[$window]))
        total: sum(rate(calls_total[$window]))
    objective: {at_least: 90%}
  - name: value
    sli: {value: {query: 'max by (pod) (memory_bytes)', unit: bytes}}
    objective: {at_most: 1GiB}
"""
BAD = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: bad}
defaults: {interval: 1m, window: 5m}
slos:
  - name: no-such-histogram
    sli: {latency: {histogram: god_seconds, by: [verb]}}
    objective: {percentile: 99, at_most: 1s}
  - name: no-such-label
    sli: {latency: {histogram: good_seconds, where: 'verb="GTE"', by: [verb]}}
    objective: {percentile: 99, at_most: 1s}
  - name: no-such-metric
    sli: {value: {query: max(memroy_bytes), unit: bytes}}
    objective: {at_most: 1GiB}
  - name: no-such-bad-events
    sli:
      ratio: {bad: 'sum(rate(calls_total{code="5OO"}[$window]))', total: 'sum(rate(calls_total[$window]))'}
    objective: {at_least: 90%}
  - name: no-such-total
    sli:
      ratio: {bad: 'sum(rate(calls_total{code="500"}[$window]))', total: 'sum(rate(cals_total[$window]))'}
    objective: {at_least: 90%}
  - name: no-such-ratio
    sli:
      ratio: {bad: 'sum(rate(cals_total{code="500"}[$window]))', total: 'sum(rate(cals_total[$window]))'}
    objective: {at_least: 90%}
  - name: no-events
    sli: {latency: {histogram: idle_seconds}}
    objective: {percentile: 99, at_most: 1s}
  - name: nan-value
    sli: {value: {query: max(memory_bytes) * NaN, unit: bytes}}
    objective: {at_most: 1GiB}
  - name: nan-total
    sli:
      ratio: {good: 'sum(rate(calls_total[$window]))', total: 'sum(rate(calls_total[$window])) * NaN'}
    objective: {at_least: 90%}
  - name: nan-bucket
    sli: {latency: {histogram: nan_seconds}}
    objective: {percentile: 99, at_most: 1s}
  - name: without-infinity
    sli: {latency: {histogram: cut_seconds}}
    objective: {percentile: 99, at_most: 1s}
  - name: many-to-many
    sli: {value: {query: calls_total * on () calls_total, unit: bytes}}
    objective: {at_most: 1GiB}
  - name: unknown-to-this-version
    sli: {value: {query: 'max(mad_over_time(memory_bytes[5m]))', unit: bytes}}
    objective: {at_most: 1GiB}
  - name: same-labels-twice
    sli: {value: {query: '{__name__=~"memory_bytes|memory2_bytes"}', unit: bytes}}
    objective: {at_most: 1GiB}
  - name: more-good-than-all
    sli:
      ratio: {good: 'sum(rate(calls_total[$window])) * 2', total: 'sum(rate(calls_total[$window]))'}
    objective: {at_least: 90%}
"""


def _openmetrics() -> str:
    def counter(name: str, per_step: float) -> list[str]:
        return [f"{name} {i * per_step} {START + i * STEP}" for i in range(SAMPLES)]

    def gauge(name: str, value: str) -> list[str]:
        return [f"{name} {value} {START + i * STEP}" for i in range(SAMPLES)]

    lines: list[str] = []
    for le, per_step in (("0.1", 90), ("1", 100), ("+Inf", 100)):
        lines += counter(f'good_seconds_bucket{{verb="GET",le="{le}"}}', per_step)
        lines += counter(f'idle_seconds_bucket{{le="{le}"}}', 0)
        lines += counter(f'nan_seconds_bucket{{le="{le}"}}', per_step) if le != "+Inf" else []
        lines += counter(f'cut_seconds_bucket{{le="{le}"}}', per_step) if le != "+Inf" else []
    lines += gauge('nan_seconds_bucket{le="+Inf"}', "NaN")
    lines += counter('calls_total{code="200"}', 99) + counter('calls_total{code="500"}', 1)
    lines += gauge('memory_bytes{pod="a"}', "1e6") + gauge('memory2_bytes{pod="a"}', "1e6")
    lines.sort(key=lambda line: line.split("{")[0])
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    data = tmp_path_factory.mktemp("made") / "tsdb"
    blocks_from_openmetrics(_openmetrics(), data)
    with Prometheus(data) as server:
        yield server


@pytest.fixture(scope="module")
def reasons() -> dict[str, str]:
    """What each case gave as its reason; in the end they must all differ."""
    return {}


def judged(agent: AgentDirectory, *words: str) -> tuple[int, list[dict]]:
    done = agent.command("check", "--format", "json", *words)
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)["verdicts"]


def never_a_pass(agent: AgentDirectory, *words: str) -> list[dict]:
    """The verdicts, none of which says that a promise was kept, with exit status 3."""
    code, verdicts = judged(agent, *words)
    assert code == 3
    assert verdicts
    assert {entry["outcome"] for entry in verdicts} <= {"error", "no_data", "inconclusive"}
    for entry in verdicts:
        assert entry["value"] is None or entry["outcome"] != "no_data"
        assert entry["reason"]
    return verdicts


def test_without_a_fault_every_slo_passes(prometheus: Prometheus, tmp_path: Path):
    """So that none of the cases below fails for another reason."""
    with FaultServer(prometheus.url) as server:
        agent = AgentDirectory(tmp_path, server.url, slos={"good.yaml": GOOD})
        for when in (("--at", AT), ("--from", FROM, "--to", TO)):
            code, verdicts = judged(agent, *when)
            assert (code, {entry["outcome"] for entry in verdicts}) == (0, {"pass"})


# ---- What a real Prometheus answers ---------------------------------------------------------------------------------

NO_SERIES = "no such series in these windows: the metric or its labels do not exist here, or nothing was scraped then"
REAL = {
    "no-such-histogram": ("no_data", NO_SERIES),
    "no-such-label": ("no_data", NO_SERIES),
    "no-such-metric": ("no_data", NO_SERIES),
    "no-such-ratio": ("no_data", NO_SERIES),
    "no-such-bad-events": ("no_data", "events, but the query for the bad ones gives no series: a typo"),
    "no-such-total": ("error", "bad events without their total: the two queries do not give the same series"),
    "no-events": ("no_data", "no events"),
    "nan-value": ("no_data", "the answer is NaN, not a number"),
    "nan-total": ("error", "total is NaN"),
    "nan-bucket": ("error", "the bucket le=+Inf counts NaN events"),
    "without-infinity": ("error", 'the histogram has no bucket le="+Inf", so nobody knows how many events there were'),
    "many-to-many": ("error", "execution: found duplicate series for the match group"),
    "unknown-to-this-version": ("error", 'bad_data: invalid parameter "query"'),
    "same-labels-twice": ("error", "several series have the same labels once the metric name is left out"),
    "more-good-than-all": ("error", "2 times as many good events as there are in all"),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_prometheus_that_cannot_tell(prometheus: Prometheus, reasons: dict[str, str], tmp_path: Path, name: str):
    agent = AgentDirectory(tmp_path, prometheus.url, slos={"bad.yaml": BAD})
    outcome, words = REAL[name]
    (entry,) = never_a_pass(agent, "--at", AT, "--slo", name)
    assert entry["outcome"] == outcome
    assert words in entry["reason"]
    if words != NO_SERIES:
        reasons[name] = entry["reason"]
    (over,) = never_a_pass(agent, "--from", FROM, "--to", TO, "--slo", name)
    assert over["windows"]["good"] == 0


def test_the_cases_of_a_real_prometheus_are_all_of_its_slos():
    assert sorted(REAL) == sorted(line.split()[-1] for line in BAD.splitlines() if line.startswith("  - name: "))


def test_before_its_first_sample_history_is_lost(prometheus: Prometheus, reasons: dict[str, str], tmp_path: Path):
    agent = AgentDirectory(tmp_path, prometheus.url, slos={"good.yaml": GOOD})
    for entry in never_a_pass(agent, "--at", "2026-09-21T13:00:00Z"):
        assert entry["outcome"] == "error"
        assert "no sample at or before 2026-09-21 13:00:00 UTC; its history begins later or was lost" in entry["reason"]
        reasons["history lost"] = entry["reason"]


# ---- What only a failing server answers -----------------------------------------------------------------------------

SOME = faults.vector(({"le": "1"}, "0.5"), ({"le": "+Inf"}, "0.5"), time=1_790_000_100)
FAULTS: dict[str, tuple[Fault, str]] = {
    "503": (faults.error(503, "timeout", "query timed out"), "answered 503 Service Unavailable: query timed out"),
    "400": (faults.error(400, "bad_data", "parse error: nobody knows"), "bad_data: parse error: nobody knows"),
    "422": (faults.error(422, "execution", "too many samples"), "execution: too many samples"),
    "silence": (faults.silence(), "no complete answer within 1 s (query_timeout)"),
    "truncated": (faults.truncated_length(SOME), "closed in the middle of the answer"),
    "half of the JSON": (faults.answer(SOME[:-9]), "not Prometheus's answer: {"),
    "a login page": (faults.html(), r"not Prometheus's answer: <!DOCTYPE html>"),
    "partial": (faults.with_warnings("store-2 is down"), "the answer may be partial: store-2 is down"),
    "hang up": (faults.hang_up(), "closed it without a word"),
}
"""By name: the fault, and the words that tell it."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_server_that_fails(prometheus: Prometheus, reasons: dict[str, str], tmp_path: Path, name: str):
    fault, words = FAULTS[name]
    with FaultServer(prometheus.url) as server:
        server.fail(fault, when=lambda request: request.path in ("/api/v1/query", "/api/v1/query_range"))
        agent = AgentDirectory(
            tmp_path, server.url, slos={"good.yaml": GOOD}, extra="evaluation: {query_timeout: 1s}\n"
        )
        verdicts = never_a_pass(agent, "--at", AT)
        assert {entry["slo"]: entry["outcome"] for entry in verdicts} == dict.fromkeys(
            ("latency", "ratio", "value"), "error"
        )
        assert all(words in entry["reason"] for entry in verdicts), verdicts[0]["reason"]
        reasons[name] = verdicts[0]["reason"]
        never_a_pass(agent, "--from", FROM, "--to", TO)
        final = name in ("400", "422")
        server.heal()
        code, verdicts = judged(agent, "--from", FROM, "--to", TO)
        if final:
            assert code == 3, "a refusal that repeated is recorded, and stays"
        else:
            assert (code, {entry["outcome"] for entry in verdicts}) == (0, {"pass"}), (
                "nothing was recorded, all is asked again"
            )


def test_each_case_has_a_reason_of_its_own(reasons: dict[str, str]):
    assert len(reasons) == sum(words != NO_SERIES for _, words in REAL.values()) + 1 + len(FAULTS)
    without_address = {name: re.sub(r"http://[0-9.:]+", "", reason) for name, reason in reasons.items()}
    assert len(set(without_address.values())) == len(reasons), without_address


# ---- The daemon -----------------------------------------------------------------------------------------------------

LIVE = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: live}
defaults: {interval: 1s, window: 5s}
slos:
  - name: up
    sli: {value: {query: 'max(up)', unit: ratio}}
    objective: {at_least: 100%}
"""
PENDING_KINDS = {"503": "timeout", "silence": "timeout", "truncated": "protocol", "a login page": "protocol",
                 "partial": "partial"}  # fmt: skip


@pytest.fixture
def scraping(tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes itself each second."""
    server = Prometheus(tmp_path / "live")
    server._config.write_text(
        "scrape_configs: [{job_name: prometheus, scrape_interval: 1s, "
        f"static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]}}]\n"
    )
    with server:
        url = f"{server.url}/api/v1/query?query=up"

        def scraped() -> bool:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(json.load(answer)["data"]["result"])

        wait_until(scraped, what="the first scrape")
        yield server


def test_the_daemon_shows_each_fault_as_an_error_and_records_the_slots_when_it_ends(
    scraping: Prometheus, tmp_path: Path
):
    with FaultServer(scraping.url) as server:
        agent = AgentDirectory(
            tmp_path / "agent", server.url, slos={"live.yaml": LIVE},
            extra="evaluation: {delay: 500ms, query_timeout: 1s}\n",
        )  # fmt: skip
        with DaemonProcess(agent) as daemon:
            wait_until(lambda: shown(daemon)[0] == "pass", what="a pass")
            since = max(slots(agent))  # before it, Prometheus may have had no past yet
            for name, kind in PENDING_KINDS.items():
                fault, words = FAULTS[name]
                failures = daemon.metric("sloagent_query_failures_total", kind=kind) or 0.0
                server.fail(fault, when=lambda request: request.path in ("/api/v1/query", "/api/v1/query_range"))
                wait_until(lambda words=words: words in shown(daemon)[1], what=f"{name} being shown")
                assert shown(daemon)[0] == "error"
                assert daemon.metric("sloagent_slo_outcome", slo="up", outcome="error") == 1.0
                assert daemon.metric("sloagent_slo_outcome", slo="up", outcome="pass") == 0.0
                assert daemon.metric("sloagent_slo_value", slo="up") is None, "an old value is not shown as the newest"
                assert (daemon.metric("sloagent_query_failures_total", kind=kind) or 0.0) > failures
            wait_until(lambda: (daemon.metric("sloagent_pending_slots") or 0.0) > 1, what="pending slots being counted")
            server.heal()
            wait_until(lambda: shown(daemon)[0] == "pass", what="a pass again")
            # Of the very newest slots one may be missing for a moment: a tick that was late leaves it to the next round.
            faulty = set(range(since, int(time.time()) - 1))
            wait_until(lambda: faulty <= set(slots(agent)), what="every slot of that time being recorded")
            assert {slots(agent)[slot] for slot in faulty} == {"pass"}, "none has kept the error that was shown"

            refusing = int(time.time()) - 2
            server.fail(FAULTS["422"][0], when=lambda request: request.path.startswith("/api/v1/query"))
            wait_until(lambda: shown(daemon) == ("error", f"refused: {server.url}: execution: too many samples"))
            wait_until(lambda: "error" in slots(agent).values(), what="the refusal being recorded")
            server.heal()
            healed = int(time.time())
            wait_until(lambda: shown(daemon)[0] == "pass", what="a pass again")
            assert daemon.stop() == 0
        refused = [slot for slot, outcome in slots(agent).items() if outcome == "error" and slot >= since]
        assert refused, "what was refused is recorded"
        assert refusing <= min(refused) <= max(refused) <= healed, "only slots of the time of the refusal"


def shown(daemon: DaemonProcess) -> tuple[str, str]:
    """Outcome and reason of the newest verdict in the API; empty before the first."""
    verdicts = json.loads(daemon.get("/api/v1/verdicts"))["verdicts"]
    return (verdicts[0]["outcome"], verdicts[0]["reason"]) if verdicts else ("", "")


def slots(agent: AgentDirectory) -> dict[int, str]:
    rows = (json.loads(line) for line in agent.dump().splitlines())
    return {row["slot"]: row["outcome"] for row in rows if row["kind"] == "slot"}
