"""OpenSLO as others write it: what becomes of each form, and what stands in where nothing is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.load import load_agent
from sloagent.config.openslo import reading
from sloagent.config.reader import parse
from sloagent.model.slo import SLO, Gate, Limit, Objective, RatioSLI, SLOSet, Text, ValueSLI

SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: web, displayName: The web shop}\n---\n"
GOOD = 'sum(http_requests{component="web", code=~"2xx|4xx"})'
TOTAL = 'sum(http_requests{component="web"})'


def metric(query: str, more: str = "type: Prometheus") -> str:
    return f"{{metricSource: {{{more}, spec: {{query: '{query}'}}}}}}"


def ratio(good: str, total: str, more: str = "counter: true", side: str = "good") -> str:
    return f"{{ratioMetric: {{{more}, {side}: {metric(good)}, total: {metric(total)}}}}}"


def document(indicator: str, objective: str, method: str = "Timeslices", more: str = "", metadata: str = "") -> str:
    return (
        f"apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: available{metadata}}}\n"
        f"spec:\n  service: web\n  indicator: {{metadata: {{name: i}}, spec: {indicator}}}\n"
        f"  budgetingMethod: {method}\n  objectives: [{objective}]\n{more}"
    )


def set_of(text: str) -> SLOSet:
    loaded = reading.read(parse("web.yaml", text.encode()))
    assert loaded.problems == (), loaded.problems
    assert loaded.slo_set is not None
    return loaded.slo_set


def slo_of(*words: str, **more: str) -> SLO:
    (slo,) = set_of(document(*words, **more)).slos
    return slo


def test_the_specification_s_own_example_of_a_ratio_is_read_with_its_counters_rated() -> None:
    slo = slo_of(ratio(GOOD, TOTAL), "{displayName: Good, target: 0.995, timeSliceTarget: 0.95, timeSliceWindow: 1m}")
    assert slo.sli == RatioSLI(
        "good",
        'sum(rate(http_requests{component="web", code=~"2xx|4xx"}[$window]))',
        'sum(rate(http_requests{component="web"}[$window]))',
    )
    assert slo.objective == Objective(Limit(at_least=0.95), gate=Gate.WINDOWS, windows_at_least=0.995)
    assert (slo.set, slo.name, slo.title, slo.interval, slo.window) == ("web", "available", Text("available"), 60, 300)
    assert slo.place == "web.yaml:3"


def test_a_set_is_a_service_with_its_title_and_slos_in_the_order_written() -> None:
    one = document(ratio(GOOD, TOTAL), "{target: 0.99}", "Occurrences")
    other = one.replace("name: available", "name: other, displayName: The other").replace(
        "spec:\n", "spec:\n  description: why\n", 1
    )
    found = set_of(f"{SERVICE}{one}---\n{other}---\n")
    assert (found.name, found.title) == ("web", Text("The web shop"))
    assert [(slo.name, slo.title.en, slo.note.en) for slo in found.slos] == [
        ("available", "available", ""), ("other", "The other", "why"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("objective", "share"),
    [("{target: 0.9995}", 0.9995), ("{targetPercent: 99.95}", 0.9995), ("{targetPercent: 50}", 0.5)],
)
def test_occurrences_are_all_events_of_a_run(objective: str, share: float) -> None:
    slo = slo_of(ratio(GOOD, TOTAL, side="bad"), objective, "Occurrences")
    assert isinstance(slo.sli, RatioSLI)
    assert slo.sli.counts == "bad"
    assert slo.objective == Objective(Limit(at_least=share), gate=Gate.WHOLE_RUN)
    assert (slo.interval, slo.window) == (60, 300)


@pytest.mark.parametrize(
    ("query", "read", "window"),
    [
        ("sum(rate(x[10m]))", "sum(rate(x[$window]))", 600),
        ("sum(rate(x[{{.window}}]))", "sum(rate(x[$window]))", 300),
        ("sum(rate(x[$window]))", "sum(rate(x[$window]))", 300),
        ('sum(rate(x{a="[10m]"}[1h]))', 'sum(rate(x{a="[10m]"}[$window]))', 3_600),
        ('sum by (b) (x{a=~".*$"})', 'sum by (b) (rate(x{a=~".*$"}[$window]))', 300),
    ],
)
def test_a_written_range_is_the_window(query: str, read: str, window: int) -> None:
    slo = slo_of(ratio(query, query), "{target: 0.99, timeSliceTarget: 0.99, timeSliceWindow: 1}")
    assert isinstance(slo.sli, RatioSLI)
    assert (slo.sli.events, slo.sli.total, slo.interval, slo.window) == (read, read, 60, window)


def test_gauges_of_rates_are_asked_as_they_are() -> None:
    slo = slo_of(ratio("job:good:rate5m", "job:all:rate5m", "counter: false"), "{target: 0.99}", "Occurrences")
    assert isinstance(slo.sli, RatioSLI)
    assert (slo.sli.events, slo.sli.total) == ("job:good:rate5m", "job:all:rate5m")


def test_a_slice_that_is_longer_than_the_usual_window_is_its_own_window() -> None:
    slo = slo_of(ratio(GOOD, TOTAL), "{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 2h}")
    assert (slo.interval, slo.window) == (7_200, 7_200)


@pytest.mark.parametrize(
    ("op", "method", "more", "limit"),
    [
        ("lte", "Timeslices", ", timeSliceTarget: 1, timeSliceWindow: 5m", Limit(at_most=8589934592.0)),
        ("gte", "Occurrences", "", Limit(at_least=8589934592.0)),
    ],
)
def test_a_threshold_is_a_value_and_its_target_the_share_of_good_windows(
    op: str, method: str, more: str, limit: Limit
) -> None:
    objective = f"{{op: {op}, value: 8589934592, target: 0.95{more}}}"
    slo = slo_of(f"{{thresholdMetric: {metric('max(x)')}}}", objective, method)
    assert slo.sli == ValueSLI("max(x)", "units")
    assert slo.objective == Objective(limit, windows_at_least=0.95)
    assert slo.interval == (300 if more else 60)


@pytest.mark.parametrize(("kind", "limit"), [("success", Limit(at_least=0.999)), ("failure", Limit(at_most=0.001))])
def test_a_recorded_ratio_is_a_value_between_0_and_1(kind: str, limit: Limit) -> None:
    indicator = f"{{ratioMetric: {{rawType: {kind}, raw: {metric('job:ratio:rate5m')}}}}}"
    slo = slo_of(indicator, "{target: 0.95, timeSliceTarget: 0.999, timeSliceWindow: 1m}")
    assert slo.sli == ValueSLI("job:ratio:rate5m", "ratio")
    assert slo.objective == Objective(limit, windows_at_least=0.95)


def test_indicators_and_sources_are_found_by_name_wherever_they_stand() -> None:
    source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: main}\nspec: {type: Prometheus}\n---\n"
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: errors}\nspec:\n  ratioMetric:\n"
    sides = {
        "bad": metric("bad:rate5m", "metricSourceRef: main"),
        "total": metric("all:rate5m", "metricSourceRef: main"),
    }
    sli += "".join(f"    {side}: {asked}\n" for side, asked in sides.items())
    slo = (
        "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {name: one}\nspec:\n  service: web\n  indicatorRef: errors\n"
        "  budgetingMethod: Occurrences\n  objectives: [{target: 0.99}]\n"
    )
    first = set_of(slo.removeprefix("---\n") + "---\n" + source + sli)
    assert set_of(source + sli + slo).slos[0].sli == first.slos[0].sli == RatioSLI("bad", "bad:rate5m", "all:rate5m")


def test_the_time_window_is_the_period_of_the_error_budget() -> None:
    def period(more: str, metadata: str = "") -> int | None:
        slo = slo_of(ratio(GOOD, TOTAL), "{target: 0.9}", "Occurrences", more=more, metadata=metadata)
        assert slo.alerts.burn_rate is not None
        return slo.alerts.burn_rate.period

    assert period("") is None
    assert period("  timeWindow: [{duration: 4w, isRolling: true}]\n") == 28 * 86_400
    agent = ", annotations: {sloagent.io/budget-period: agent}"
    assert period("  timeWindow: [{duration: 30d, isRolling: true}]\n", agent) is None


def test_labels_and_annotations_of_others_are_left_alone() -> None:
    metadata = ", labels: {team: [a, b], env: prod}, annotations: {example.com/owner: someone, openslo.com/x: y}"
    assert slo_of(ratio(GOOD, TOTAL), "{target: 0.9}", "Occurrences", metadata=metadata).title == Text("available")


def test_an_openslo_file_stands_among_the_slos_of_an_agent(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE + document(ratio(GOOD, TOTAL), "{target: 0.99}", "Occurrences"))
    (tmp_path / "sloagent.yaml").write_text(
        "prometheus: {url: http://localhost:9090}\nslos: [web.yaml, 'builtin:kubernetes']\n"
    )
    _, sets = load_agent(tmp_path / "sloagent.yaml", AgentSettings)
    assert [one.name for one in sets] == ["web", "kubernetes"]
