"""`evaluate: recorded`: what a ruler has recorded of the recorded run is judged as the run itself was at that time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import pytest
import yaml

from sloagent.app import rule_files, rules_export
from sloagent.app.schedule import stretches
from sloagent.evaluation.judge import judge
from sloagent.model.samples import Answer, Kind, Refusal
from sloagent.model.slo import SLO, Evaluate, Limit, Objective
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from sloagent.sources.rules.rule import VERDICT
from tests.prometheus import Prometheus
from tests.rules import AT_BOUNDS, Point, Recorded, asked, compared, promtool, recorded_run, slos_of


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with recorded_run(tmp_path_factory.mktemp("recorded")) as run:
        yield run


@dataclass(frozen=True)
class Backfilled:
    """A Prometheus that holds nothing but what rules have recorded: verdicts, and the answers that sloagent reads."""

    url: str
    source: PrometheusSource
    slos: dict[str, SLO]
    end: int

    def verdicts(self) -> dict[str, dict[Point, float]]:
        """What the rules say of each SLO, at their own times."""
        found: dict[str, dict[Point, float]] = {}
        for series in asked(self.url, "query", {"query": f"{VERDICT}[2h]", "time": self.end}):
            labels = {k: v for k, v in series["metric"].items() if k not in ("__name__", "set", "slo")}
            of = found.setdefault(series["metric"]["slo"], {})
            of |= {(at, tuple(sorted(labels.items()))): float(value) for at, value in series["values"]}
        return found

    def times(self) -> dict[str, list[float]]:
        """When the rules of each SLO were evaluated."""
        marks = asked(self.url, "query", {"query": '{sloagent_rule="evaluated"}[2h]', "time": self.end})
        return {series["metric"]["sloagent_slo"]: [at for at, _ in series["values"]] for series in marks}


@pytest.fixture(scope="module")
def backfilled(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfilled]:
    """promtool evaluates a group at its own offset within the minute, which hangs on the file's path."""
    slos, target = slos_of("karmada", AT_BOUNDS), tmp_path_factory.mktemp("backfilled")
    files = []
    for slo in slos.values():
        made = rules_export.export([replace(slo, evaluate=Evaluate.RECORDED)])
        (group,) = yaml.safe_load(rule_files.prometheus(made))["groups"]
        kept = (VERDICT, "sloagent:sli_")
        group["rules"] = [rule for rule in group["rules"] if rule.get("record", "").startswith(kept)]
        files.append(target / f"{slo.name}.yaml")
        files[-1].write_text(yaml.safe_dump({"groups": [group]}))
    start, end = recorded.slots[0], recorded.slots[-1]
    words = ["--url", recorded.url, "--start", str(start), "--end", str(end), "--output-dir", target / "data"]
    promtool("tsdb", "create-blocks-from", "rules", *words, *files)
    with Prometheus(target / "data") as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        yield Backfilled(server.url, source, slos, end)
        source.close()


def test_what_is_backfilled_from_the_rules_is_what_sloagent_judges_at_those_times(
    recorded: Recorded, backfilled: Backfilled
) -> None:
    """The offset is no whole second: sloagent is asked at the same millisecond."""
    total: Counter[str] = Counter()
    for name, points in backfilled.verdicts().items():
        slo, times = backfilled.slos[name], sorted({at for at, _ in points})
        slots = [judge(slo, at, recorded.source.at(slo, at)) for at in times]
        counts, different = compared(slots, points)
        assert not different, different[:3]
        total += counts
    assert total["pass"] > 800
    assert total["fail"] > 200


def test_what_is_read_from_recorded_answers_is_judged_as_the_raw_series_at_the_time_of_the_rule(
    recorded: Recorded, backfilled: Backfilled
) -> None:
    times, counts = backfilled.times(), Counter[str]()
    assert set(times) == set(backfilled.slos)
    for name, raw in backfilled.slos.items():
        slo = replace(raw, evaluate=Evaluate.RECORDED)
        at_rule = {ceil(at / 60) * 60: at for at in times[name]}
        # At the border of its blocks promtool loses an evaluation: nobody knows what it would have been.
        lost = sorted(set(range(min(at_rule), max(at_rule), 60)) - set(at_rule))
        assert len(lost) <= 1
        assert all(isinstance(backfilled.source.at(slo, slot), Refusal) for slot in lost)
        for stretch in stretches(sorted(at_rule), 60, 100):
            read = backfilled.source.over(slo, stretch)
            assert isinstance(read, list), read
            assert read[-1] == backfilled.source.at(slo, stretch[-1])
            for slot, answer in zip(stretch, read, strict=True):
                asked_then = recorded.source.at(raw, at_rule[slot])
                assert isinstance(answer, Answer)
                assert isinstance(asked_then, Answer)
                assert answer.question.histogram == asked_then.question.histogram
                # Outcomes, causes, shares, events, values, and percentiles with the bounds of their buckets.
                told = judge(slo, slot, answer).verdicts
                assert told == judge(raw, slot, asked_then).verdicts
                counts.update(verdict.outcome.value for verdict in told)
    assert min(counts["pass"], counts["inconclusive"], counts["no_data"], counts["measured"]) > 200, counts
    assert counts["fail"] > 200


def test_a_ruler_that_stopped_or_has_other_rules_is_told_and_nothing_old_passes(backfilled: Backfilled) -> None:
    raw = backfilled.slos["etcd-request-latency"]
    slo = replace(raw, evaluate=Evaluate.RECORDED)
    last = max(backfilled.times()[slo.name])
    living = int(last // 60 * 60 + 60)
    assert isinstance(backfilled.source.at(slo, living), Answer)
    dead = backfilled.source.at(slo, living + 60)
    assert isinstance(dead, Refusal)
    assert (dead.kind, dead.final) == (Kind.NOT_RECORDED, False)
    assert "the ruler does not run or is late, or has other rules" in dead.message
    assert judge(slo, living + 60, dead).pending
    stretch = backfilled.source.over(slo, range(living - 120, living + 180, 60))
    assert isinstance(stretch, Refusal)
    assert stretch.kind is Kind.NOT_RECORDED
    changed = backfilled.source.at(replace(slo, window=600), living)
    assert isinstance(changed, Refusal)
    assert changed.kind is Kind.NOT_RECORDED
    other_limit = replace(slo, objective=Objective(Limit(at_most=0.025), 99.0))
    assert isinstance(backfilled.source.at(other_limit, living), Answer)
    # The rules ran and found nothing: the probe was not there.
    silent = backfilled.source.at(
        replace(backfilled.slos["cluster-registration-latency"], evaluate=slo.evaluate), living
    )
    assert isinstance(silent, Answer)
    assert not silent.series


def test_what_was_counted_over_a_run_is_not_made_up_from_rates(recorded: Recorded, backfilled: Backfilled) -> None:
    slo = replace(backfilled.slos["etcd-request-latency"], evaluate=Evaluate.RECORDED)
    start, end = recorded.slots[0] * 1000, recorded.slots[10] * 1000
    refused = backfilled.source.piece(slo, start, end)
    assert isinstance(refused, Refusal)
    assert refused.final
    assert "asked of the metrics themselves, and they are not here" in refused.message
    assert recorded.source.piece(slo, start, end) == recorded.source.piece(backfilled.slos[slo.name], start, end)
