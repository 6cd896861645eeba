"""Every answer that a peer can spoil, all at once and each for one SLO, while the daemon runs: cases 3 to 9 and 12 to 15.

One daemon asks a real Prometheus through a proxy. Each SLO's question is answered in its own wrong way for longer than two
rounds of catching up; then the proxy heals. What was shown, logged, asked and recorded meanwhile is looked at case by case.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from tests import faults
from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.faults import Exchange, Fault, FaultServer
from tests.prometheus import scraping_itself

INTERVAL = 2
ROUNDS_SECONDS = 13.0
"""Longer than two rounds of catching up."""
TIMEOUT = "1s"
AT_ONCE_SECONDS = 0.1
SOME = faults.vector(({}, "1"))

SPOILT: dict[str, tuple[int, Fault, str, str]] = {
    "query-timed-out": (3, faults.error(503, "timeout", "query timed out in expression evaluation"), "timeout",
                        "answered 503 Service Unavailable: query timed out in expression evaluation"),
    "wait-6-seconds": (6, faults.status(429, b"slow down", "Retry-After: 6"), "unavailable", "429 Too Many Requests: slow"),
    "wait-for-ever": (6, faults.status(503, b"busy", "Retry-After: 1000000000"), "unavailable",
                      "503 Service Unavailable: busy"),
    "byte-drip": (7, faults.drip(seconds=0.5), "timeout", "no complete answer within 1 s (query_timeout)"),
    "header-drip": (7, faults.header_drip(seconds=0.5), "timeout", "no complete answer within 1 s (query_timeout)"),
    "truncated-length": (8, faults.truncated_length(SOME), "protocol", "closed in the middle of the answer"),
    "truncated-chunks": (8, faults.truncated_chunked(SOME), "protocol", "closed in the middle of the answer"),
    "truncated-json": (9, faults.answer(SOME[:-9]), "protocol", "not Prometheus's answer: {"),
    "login-page": (9, faults.html(), "protocol", r"not Prometheus's answer: <!DOCTYPE html>"),
    "empty-list": (9, faults.answer(b"[]"), "protocol", "not Prometheus's answer: []"),
    "error-with-200": (9, faults.answer(b'{"status":"error"}'), "protocol", "200 and yet an error"),
    "brackets": (10, faults.nested(), "protocol", "[[[[…"),
    "reset-in-the-middle": (12, faults.reset(SOME), "protocol", "connection reset by peer"),
    "hang-up": (12, faults.hang_up(), "protocol", "closed it without a word"),
    "partial": (15, faults.with_warnings("store-2 is down"), "partial", "the answer may be partial: store-2 is down"),
}  # fmt: skip
"""By SLO: the number in the table of faults, the fault, the kind counted, the words shown. All leave the slot pending."""

REFUSED: dict[str, tuple[int, Fault, str]] = {
    "refused-422": (4, faults.error(422, "execution", "too many samples"), "execution: too many samples"),
    "refused-400": (5, faults.error(400, "bad_data", "exceeded maximum resolution"), "bad_data: exceeded maximum"),
}
"""By SLO: what a peer refuses for good, and refuses again when asked a second time. Recorded as it is."""

REAL: dict[str, tuple[int, str, str, str]] = {
    "many-to-many": (4, "prometheus_http_requests_total * on () prometheus_http_requests_total", "error",
                     "execution: found duplicate series for the match group"),
    "same-labels-twice": (14, '{__name__=~"up|scrape_samples_scraped"}', "error", "several series have the same labels"),
    "not-a-number": (13, "vector(0) / 0", "no_data", "NaN, not a number"),
    "infinite": (13, "vector(1) / 0", "fail", "+Inf"),
    "minus-infinite": (13, "vector(-1) / 0", "pass", "-Inf"),
    "scalar": (13, "scalar(max(up))", "pass", "1"),
    "infinite-scalar": (13, "1 / 0", "fail", "+Inf"),
    "nothing": (13, "max(no_such_metric)", "no_data", "no such series"),
}  # fmt: skip
"""By SLO: what Prometheus itself answers so, with the outcome at each slot and some of its words."""

SHUT = {**SPOILT, **REFUSED}


def spoilt_query(name: str) -> str:
    """A question that says in its own text which fault is meant for it."""
    return f'max(up{{instance!="{name}"}})'


def slo_file() -> str:
    """All SLOs: one to spoil per fault, one whose question nobody spoils, and those that Prometheus itself answers oddly."""
    lines = ["apiVersion: sloagent/v1", "kind: SLOSet", "metadata: {name: faults}",
             f"defaults: {{interval: {INTERVAL}s, window: {3 * INTERVAL}s}}", "slos:"]  # fmt: skip
    for name in ["untouched", *SHUT]:
        lines += [f"  - name: {name}", f"    sli: {{value: {{query: {json.dumps(spoilt_query(name))}, unit: count}}}}",
                  "    objective: {at_least: 1}"]  # fmt: skip
    for name, (_, query, _, _) in REAL.items():
        lines += [f"  - name: {name}", f"    sli: {{value: {{query: {json.dumps(query)}, unit: count}}}}",
                  "    objective: {at_most: 1000}"]  # fmt: skip
    return "\n".join(lines) + "\n"


@dataclass
class Evidence:
    """What was seen."""

    spoilt_from: float = 0.0
    healed: float = 0.0
    shown: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Outcome and reason of each SLO in the API while the faults lasted."""
    metrics: str = ""
    """/metrics in that time."""
    recorded_meanwhile: dict[str, dict[int, str]] = field(default_factory=dict)
    """By SLO, slot to outcome, just before the faults ended."""
    asked: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    """By SLO: when each slot was asked for by itself while the faults lasted, on the monotonic clock."""
    recorded: dict[str, dict[int, str]] = field(default_factory=dict)
    """By SLO, slot to outcome, in the end."""
    log: str = ""
    status: int = -1

    def of_the_fault(self, name: str, margin: float = 0.0) -> dict[int, str]:
        """The recorded slots of the time of the faults, their first and last moments left out."""
        first, last = self.spoilt_from + INTERVAL, self.healed - INTERVAL - margin
        return {slot: outcome for slot, outcome in self.recorded[name].items() if first < slot < last}


def recorded(agent: AgentDirectory) -> dict[str, dict[int, str]]:
    """By SLO, slot to outcome, from the dump."""
    found: dict[str, dict[int, str]] = {}
    for row in agent.rows():
        if row["kind"] == "slot":
            found.setdefault(row["slo"], {})[row["slot"]] = row["outcome"]
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    """Let it happen once; the tests below look at what came of it."""
    directory = tmp_path_factory.mktemp("answers")
    prometheus = scraping_itself(directory / "data")
    seen = Evidence()
    spoiling = False

    def spoil(exchange: Exchange) -> bool:
        form = exchange.request.form
        name = re.search(r'instance!="([a-z0-9-]+)"', form.get("query", ""))
        if name is None or name[1] not in SHUT:
            return faults.forward(exchange)
        if "time" in form and spoiling:
            seen.asked.setdefault(name[1], {}).setdefault(int(form["time"]), []).append(time.monotonic())
        return SHUT[name[1]][1](exchange)

    with prometheus, FaultServer(prometheus.url) as server:
        agent = AgentDirectory(
            directory / "agent", server.url, slos={"faults.yaml": slo_file()},
            extra=f"evaluation: {{delay: 500ms, query_timeout: {TIMEOUT}, max_queries: 8}}\n",
        )  # fmt: skip
        with DaemonProcess(agent) as daemon:

            def shown() -> dict[str, tuple[str, str]]:
                rows = json.loads(daemon.get("/api/v1/verdicts"))["verdicts"]
                return {row["slo"]: (row["outcome"], row["reason"]) for row in rows}

            def calm() -> bool:
                rows = shown()
                return all(rows.get(name, ("",))[0] == "pass" for name in ["untouched", *SHUT])

            wait_until(calm, what="a pass of every SLO that is to be spoilt")
            spoiling = True
            server.fail(spoil)
            seen.spoilt_from = time.time()
            wait_until(
                lambda: all(shown()[name][0] == "error" for name in SHUT),
                what="every spoilt SLO being shown as an error",
            )
            wait_until(lambda: time.time() > seen.spoilt_from + ROUNDS_SECONDS, what="two rounds of catching up")
            seen.shown, seen.metrics = shown(), daemon.get("/metrics")
            spoiling = False
            seen.recorded_meanwhile = recorded(agent)
            server.heal()
            seen.healed = time.time()
            wait_until(calm, what="every SLO passing again")
            wait_until(
                lambda: all(
                    set(slots_between(seen.spoilt_from, seen.healed)) <= set(recorded(agent).get(name, {}))
                    for name in ["untouched", *SHUT]
                ),
                60,
                "every slot of the time of the faults being recorded",
            )
            seen.status = daemon.stop()
        seen.recorded = recorded(agent)
        seen.log = daemon.log.read_text()
    yield seen


def slots_between(start: float, end: float) -> range:
    """The slots that lie wholly between two times."""
    return range((int(start) // INTERVAL + 1) * INTERVAL, int(end) - INTERVAL, INTERVAL)


@pytest.mark.parametrize("name", SPOILT)
def test_it_is_shown_as_an_error_in_its_own_words_and_counted_by_kind(seen: Evidence, name: str) -> None:
    _, _, kind, words = SPOILT[name]
    outcome, reason = seen.shown[name]
    assert outcome == "error"
    assert words in reason
    assert re.search(rf'^sloagent_query_failures_total{{kind="{kind}"}} [1-9]', seen.metrics, re.MULTILINE)
    assert f'sloagent_slo_outcome{{outcome="error",set="faults",slo="{name}"}} 1.0' in seen.metrics
    assert f'sloagent_slo_value{{set="faults",slo="{name}"}}' not in seen.metrics, (
        "an old value is not shown as the newest"
    )


@pytest.mark.parametrize("name", SPOILT)
def test_its_slots_stay_pending_and_have_their_verdicts_once_it_ends(seen: Evidence, name: str) -> None:
    slots = set(slots_between(seen.spoilt_from, seen.healed))
    first = min(slots) + INTERVAL  # one slot may have been on its way when the fault began
    meanwhile = seen.recorded_meanwhile[name]
    assert [slot for slot in meanwhile if slot > first] == [], "recorded although nobody answered"
    assert {seen.recorded[name].get(slot) for slot in slots} == {"pass"}, "each at its own time, none with the error"


@pytest.mark.parametrize("name", SPOILT)
def test_no_slot_is_asked_again_within_its_tick(seen: Evidence, name: str) -> None:
    asked = seen.asked[name]
    assert len(asked) >= 3
    # A tick asks once; the rounds of catching up, which come every 5 s, ask for some of the pending ones again.
    gaps = [later - earlier for times in asked.values() for earlier, later in pairwise(times)]
    at_once = sum(gap < AT_ONCE_SECONDS for gap in gaps)
    # A kept connection that the peer closes is made anew, once for each question.
    assert at_once <= (sum(map(len, asked.values())) // 2 if name == "hang-up" else 0), asked


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_for_good_is_asked_twice_and_recorded_as_the_error_it_is(seen: Evidence, name: str) -> None:
    outcome, reason = seen.shown[name]
    assert outcome == "error"
    assert REFUSED[name][2] in reason
    assert set(seen.of_the_fault(name).values()) == {"error"}
    assert {len(times) for times in seen.asked[name].values()} == {2}
    assert max(slot for slot, outcome in seen.recorded[name].items() if outcome == "error") <= seen.healed


@pytest.mark.parametrize("name", REAL)
def test_what_prometheus_itself_answers_so_has_its_outcome_at_every_slot(seen: Evidence, name: str) -> None:
    _, _, outcome, words = REAL[name]
    assert seen.shown[name][0] == outcome
    assert words in seen.shown[name][1]
    assert set(seen.of_the_fault(name).values()) == {outcome}


def test_the_others_go_on_meanwhile(seen: Evidence) -> None:
    assert seen.shown["untouched"][0] == "pass"
    slots = set(slots_between(seen.spoilt_from, seen.healed - 2 * INTERVAL))
    for name in ["untouched", *REAL]:
        assert slots <= set(seen.recorded_meanwhile[name]), f"{name} was kept waiting by the spoilt ones"
    assert {seen.recorded["untouched"][slot] for slot in slots} == {"pass"}


def test_the_pending_slots_are_counted(seen: Evidence) -> None:
    pending = re.search(r"^sloagent_pending_slots (\S+)", seen.metrics, re.MULTILINE)
    assert pending is not None
    assert float(pending[1]) >= 2 * len(SPOILT)


def test_the_log_has_one_line_per_change_of_state_and_no_trace(seen: Evidence) -> None:
    lines = [re.sub(r"^ts=\S+ ", "", line) for line in seen.log.splitlines()]
    said = Counter(line for line in lines if "pending" in line)
    assert said, "nothing was said of the pending slots"
    assert set(said.values()) == {1}, said
    assert sum(said.values()) <= len(SPOILT)
    assert "Traceback" not in seen.log
    assert seen.status == 0
