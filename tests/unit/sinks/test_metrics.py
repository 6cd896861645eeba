"""The verdict metrics, as Prometheus would read them."""

from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest

from sloagent.model.samples import Question
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective, ValueSLI
from sloagent.model.verdict import Cause, Outcome, Quantile, Share, SlotVerdict, Verdict
from sloagent.sinks.metrics import MetricsSink

LATENCY = SLO(
    "karmada",
    "api-latency",
    LatencySLI(("a_seconds",), "", ("verb", "job")),
    Objective(Limit(at_most=1.0), 99.0),
    60,
    300,
)
MEMORY = SLO("karmada", "memory", ValueSLI("x", "bytes"), Objective(Limit(at_most=5.0)), 60, 300)


def slot(slo: SLO, at: int, *verdicts: Verdict, outcome: Outcome = Outcome.PASS) -> SlotVerdict:
    return SlotVerdict(slo, at, outcome, Cause.SERIES_DECIDE, Question("q"), verdicts)


def latency_verdict() -> Verdict:
    return Verdict(
        (("job", "api"), ("verb", "POST")), Outcome.PASS, Cause.DECIDED, gates=True, events=12.5, value=0.9,
        quantiles=(Quantile(0.1, 0.0, 0.2), Quantile(0.5, 0.4, 0.6), Quantile(0.9, 0.8, float("inf"))),
        good_share=Share(0.995, 0.995), limit=Limit(at_most=1.0),
    )  # fmt: skip


def test_what_is_exported_as_a_bound_is_one_where_a_part_of_what_is_measured_was_judged() -> None:
    sink = MetricsSink()
    bounded = replace(
        latency_verdict(), outcome=Outcome.INCONCLUSIVE, cause=Cause.LOWER_BOUND, lower_bound="part_seconds"
    )
    sink.tell([slot(LATENCY, 300, bounded, outcome=Outcome.INCONCLUSIVE)])
    shown = scrape(sink)
    labels = 'exported_job="api"'
    uppers = [line for line in shown if line.startswith("sloagent_slo_percentile_value_upper{")]
    assert len(uppers) == 3
    assert all(labels in line and line.endswith(" +Inf") for line in uppers)
    assert [line.split()[-1] for line in shown if line.startswith("sloagent_slo_good_share_lower{")] == ["0.0"]
    assert [line.split()[-1] for line in shown if line.startswith("sloagent_slo_good_share_upper{")] == ["0.995"]


def scrape(sink: MetricsSink) -> list[str]:
    registry = CollectorRegistry()
    registry.register(sink)
    return generate_latest(registry).decode().splitlines()


def test_a_percentile_comes_with_the_bounds_of_its_bucket_and_a_job_of_the_user_s_own_is_exported() -> None:
    sink = MetricsSink()
    sink.tell([slot(LATENCY, 600, latency_verdict())])
    lines = scrape(sink)
    labels = 'exported_job="api",percentile="99",set="karmada",slo="api-latency",verb="POST"'
    assert f"sloagent_slo_percentile_value{{{labels}}} 0.9" in lines
    assert f"sloagent_slo_percentile_value_lower{{{labels}}} 0.8" in lines
    assert f"sloagent_slo_percentile_value_upper{{{labels}}} +Inf" in lines
    assert not any(line.startswith("sloagent_slo_value{") for line in lines)


def test_an_outcome_is_1_for_one_and_0_for_all_others() -> None:
    sink = MetricsSink()
    sink.tell([slot(LATENCY, 600, latency_verdict())])
    outcomes = [line for line in scrape(sink) if line.startswith("sloagent_slo_outcome{")]
    assert len(outcomes) == len(Outcome)
    assert [line for line in outcomes if line.endswith(" 1.0")] == [
        line for line in outcomes if 'outcome="pass"' in line
    ]


def test_no_data_is_an_outcome_and_no_number() -> None:
    sink = MetricsSink()
    sink.tell([slot(MEMORY, 600, outcome=Outcome.NO_DATA)])
    lines = scrape(sink)
    assert 'sloagent_slo_outcome{outcome="no_data",set="karmada",slo="memory"} 1.0' in lines
    assert not any(line.startswith(("sloagent_slo_value{", "sloagent_slo_events{")) for line in lines)


def test_an_older_slot_does_not_replace_a_newer_one() -> None:
    sink = MetricsSink()
    sink.tell([slot(MEMORY, 600, outcome=Outcome.PASS)])
    sink.tell([slot(MEMORY, 540, outcome=Outcome.FAIL)])
    assert [shown.slot for shown in sink.newest] == [600]


def test_a_removed_slo_vanishes() -> None:
    sink = MetricsSink()
    sink.tell([slot(MEMORY, 600), slot(LATENCY, 600, latency_verdict())])
    sink.keep([LATENCY], list)
    assert not any("memory" in line for line in scrape(sink))
    assert any("api-latency" in line for line in scrape(sink))
