"""What becomes of an SLO, and what is refused or left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sloagent.model.alert import Alerts, Burning, BurnPair, Repeated, Severity
from sloagent.model.alert_defaults import BURN_PAIRS, STANDARD_ALERTS
from sloagent.model.slo import SLO, Gate, LatencySLI, Limit, LowerBound, Objective, Override, RatioSLI, Text, ValueSLI
from sloagent.sources.rules.compiling import compiled
from sloagent.sources.rules.rule import VERDICT, Alert, Compiled, Record, Refused
from sloagent.sources.rules.trying import accepted, trials

LATENCY = SLO(
    "own", "api", LatencySLI(("a_seconds",), 'job="a"', ("verb",)), Objective(Limit(at_most=1.0), percentile=99.0), 60, 300
)  # fmt: skip
RATIO = replace(
    LATENCY, sli=RatioSLI("bad", "bad[$window]", "all[$window]"), objective=Objective(Limit(at_least=0.999))
)
VALUE = replace(LATENCY, sli=ValueSLI("depth", "items"), objective=Objective(Limit(at_most=5.0)))
OF_EVERY_ONE = (
    "regressions: they are told beside a baseline run",
    "that an alert stays while nobody can tell: by rules it ends when its data vanish",
)
OF_ONE_WINDOW = ["SLOViolated", "SLONoData", "SLOCannotBeJudged"]


def rules_of(slo: SLO) -> Compiled:
    found = compiled(slo)
    assert isinstance(found, Compiled), found
    return found


def watched(slo: SLO = LATENCY, **rules: object) -> SLO:
    return replace(slo, alerts=replace(STANDARD_ALERTS, **rules))  # type: ignore[arg-type]


def left_out(slo: SLO) -> tuple[str, ...]:
    """What is left out of this one, beyond what is left out of every one."""
    *_, regressions, vanishing = rules_of(slo).left_out
    assert (regressions, vanishing) == OF_EVERY_ONE
    return rules_of(slo).left_out[:-2]


def records(slo: SLO) -> dict[str, str]:
    return {rule.metric: rule.expression for rule in rules_of(slo).rules if isinstance(rule, Record)}


def alerts(slo: SLO) -> list[Alert]:
    return [rule for rule in rules_of(slo).rules if isinstance(rule, Alert)]


def burning(slo: SLO) -> list[tuple[str, str]]:
    return [(dict(a.labels)["window"], dict(a.labels)["severity"]) for a in alerts(slo) if a.name == "SLOBurnsBudget"]


@pytest.mark.parametrize("slo", [LATENCY, RATIO, VALUE], ids=["latency", "ratio", "value"])
def test_sloth_s_names_and_labels_are_there_for_its_dashboards(slo: SLO) -> None:
    assert {
        *(f"slo:sli_error:ratio_rate{window}" for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")),
        *(f"slo:{name}:ratio" for name in ("objective", "error_budget", "current_burn_rate", "period_burn_rate")),
        "slo:period_error_budget_remaining:ratio", "slo:time_period:days", "sloth_slo_info",
    } <= set(records(slo))  # fmt: skip
    for rule in rules_of(slo).rules:
        if isinstance(rule, Record) and rule.metric.startswith("slo"):
            labels = dict(rule.labels)
            assert (labels["set"], labels["slo"]) == ("own", "api")
            if not rule.metric.startswith("sloagent:"):
                assert (labels["sloth_id"], labels["sloth_service"], labels["sloth_slo"]) == ("own-api", "own", "api")


@pytest.mark.parametrize("slo", [LATENCY, replace(LATENCY, sli=replace(LATENCY.sli, native=True))])
def test_no_percentile_is_ever_compared(slo: SLO) -> None:
    assert not any("histogram_quantile" in rule.expression for rule in rules_of(slo).rules)


def test_what_is_yet_to_be_determined_is_recorded_and_never_alerts() -> None:
    assert set(records(replace(LATENCY, objective=None))) == {"sloagent:slo_events", "sloagent:slo_percentile_value"}
    assert set(records(replace(RATIO, objective=None))) == {"sloagent:slo_events", "sloagent:slo_good_share"}
    assert set(records(replace(VALUE, objective=None))) == {"sloagent:slo_value"}
    for slo in (LATENCY, RATIO, VALUE):
        assert alerts(replace(slo, objective=None)) == []
        assert trials(rules_of(replace(slo, objective=None))) == ()


def test_an_alert_waits_for_so_many_evaluations_and_burn_rates_have_the_workbook_s_windows() -> None:
    violated = alerts(replace(LATENCY, interval=30))[0]
    assert (violated.name, violated.after, violated.keep) == ("SLOViolated", 60, 60)
    assert burning(LATENCY) == [("1h", "page"), ("6h", "page"), ("1d", "ticket"), ("3d", "ticket")]


def test_a_budget_that_cannot_burn_so_fast_has_no_such_alert_and_none_at_all_has_no_burn_rate() -> None:
    wide = replace(RATIO, objective=Objective(Limit(at_least=0.9)))
    assert burning(wide) == [("6h", "page"), ("1d", "ticket"), ("3d", "ticket")]
    assert left_out(wide) == ("the burn rate 14.4 over 1h: a budget of 10 % cannot burn so fast",)
    whole = replace(LATENCY, objective=Objective(Limit(at_most=1.0), percentile=100.0))
    assert burning(whole) == []
    assert "slo:current_burn_rate:ratio" not in records(whole)
    assert [alert.name for alert in alerts(whole)] == OF_ONE_WINDOW


def test_the_windows_of_a_value_hold_two_evaluations_at_least() -> None:
    slow = replace(VALUE, interval=900, window=900)
    assert burning(slow) == [("6h", "page"), ("1d", "ticket"), ("3d", "ticket")]
    assert left_out(slow) == ("the burn rate 14.4 over 1h: 15m hold no two evaluations",)


# ---- the rules that the SLO is watched by ----------------------------------------------------------------------------


def test_what_is_written_of_a_rule_is_in_its_alert() -> None:
    violated, no_data, undecided = alerts(
        watched(
            violated=Repeated(after=1, severity=Severity.PAGE, over_after=1),
            burn_rate=None,
            no_data=Repeated(after=2, severity=Severity.INFO, over_after=4),
            cannot_evaluate=Repeated(after=3, severity=Severity.TICKET, over_after=2),
        )
    )
    assert [(alert.after, alert.keep, dict(alert.labels)["severity"]) for alert in (violated, no_data, undecided)] == [
        (0, 0, "page"), (60, 180, "info"), (120, 60, "ticket")
    ]  # fmt: skip
    assert "in a row" not in dict(violated.annotations)["description"]
    twice = alerts(watched(violated=Repeated(after=2, severity=Severity.PAGE)))[0]
    assert dict(twice.annotations)["description"].endswith(", and no better in 2 evaluations in a row.")


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("violated", "SLOViolated"), ("burn_rate", "SLOBurnsBudget"), ("no_data", "SLONoData"),
        ("cannot_evaluate", "SLOCannotBeJudged"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("slo", [LATENCY, RATIO, watched(RATIO, burn_rate=None, violated=None)])
def test_a_rule_that_is_off_is_not_exported_and_its_records_are(slo: SLO, rule: str, name: str) -> None:
    off = replace(slo, alerts=replace(slo.alerts, **{rule: None}))
    assert [alert for alert in alerts(slo) if alert.name != name] == alerts(off)
    assert set(records(off)) >= {"slo:current_burn_rate:ratio", VERDICT}
    assert all(trial.expected for trial in trials(rules_of(off))), "nothing is tried that nothing is expected of"
    expected = {part for trial in trials(rules_of(off)) for one in trial.expected for part, _ in one.series}
    assert not any(name in series for series in expected)


def test_without_any_rule_there_is_no_alert_and_nothing_is_left_out_of_one() -> None:
    off = replace(LATENCY, alerts=Alerts(None, None, None, None, None, None))
    assert alerts(off) == []
    assert rules_of(off).left_out == ()
    assert trials(rules_of(off)) == ()


def test_a_budget_is_reckoned_over_the_period_of_the_slo_and_its_windows_are_scaled_to_it() -> None:
    slo = watched(RATIO, burn_rate=Burning(BURN_PAIRS, period=86_400))
    assert burning(slo) == [("5m", "page"), ("15m", "page"), ("50m", "ticket"), ("2h25m", "ticket")]
    found = records(slo)
    assert found["slo:time_period:days"] == "vector(1)"
    assert found["slo:sli_error:ratio_rate1d"] == 'avg_over_time(slo:sli_error:ratio_rate5m{set="own", slo="api"}[1d])'
    assert "slo:sli_error:ratio_rate30d" not in found
    last = alerts(slo)[-2]
    assert "slo:sli_error:ratio_rate50m" in last.expression
    assert "budget of 1 day lasts 8 hours" in dict(last.annotations)["description"]


def test_a_window_as_long_as_the_period_is_recorded_once() -> None:
    slo = watched(burn_rate=Burning((BurnPair(2.0, 30 * 86_400, 86_400, Severity.INFO),)))
    names = [rule.metric for rule in rules_of(slo).rules if isinstance(rule, Record)]
    assert len(names) == len(set(names))
    assert "avg_over_time" not in records(slo)["slo:sli_error:ratio_rate30d"]


def test_a_wide_budget_of_some_series_takes_no_burn_rate_from_the_others() -> None:
    objective = Objective(Limit(at_least=0.999), overrides=(Override((("verb", "LIST"),), Limit(at_least=0.5)),))
    slo = replace(RATIO, objective=objective)
    assert len(burning(slo)) == 4
    assert left_out(slo) == ()


def test_labels_and_the_runbook_are_in_every_alert_and_are_no_templates() -> None:
    slo = watched(labels=(("team", "a {{b}}"), ("verb", "theirs")), runbook="https://example.com/{{x}}")
    for alert in alerts(slo):
        labels = dict(alert.labels)
        assert labels["team"] == 'a {{ "{{" }}b}}'
        assert "verb" not in labels, "the series' own"
        assert dict(alert.annotations)["runbook_url"] == 'https://example.com/{{ "{{" }}x}}'
    told = {series for trial in trials(rules_of(slo)) for one in trial.expected for series, _ in one.series}
    assert all('team="a {{b}}"' in series for series in told if series.startswith("ALERTS"))


def test_what_promises_nothing_of_a_window_is_said_not_to_alert() -> None:
    nothing = "that it has no data: what promises nothing of a window is recorded and never alerts"
    assert rules_of(replace(LATENCY, objective=None)).left_out == (nothing, OF_EVERY_ONE[0])
    assert rules_of(watched(replace(VALUE, objective=None), no_data=None, regression=None)).left_out == ()


def test_a_patient_rule_is_tested_for_as_long_as_it_waits() -> None:
    slo = watched(violated=Repeated(after=500, severity=Severity.PAGE))
    first = trials(rules_of(slo))[0]
    firing = next(one for one in first.expected if "SLOViolated" in one.expression)
    assert firing.at > 499 * 60
    assert all(int(values.rpartition("x")[2]) * first.step >= firing.at for _, values in first.series)


def test_a_ratio_s_overrides_have_budgets_of_their_own() -> None:
    slo = replace(
        RATIO, objective=Objective(Limit(at_least=0.999), overrides=(Override((("verb", "LIST"),), Limit(at_least=0.5)),))
    )  # fmt: skip
    shares = {
        dict(rule.labels).get("verb", ""): rule.expression
        for rule in rules_of(slo).rules
        if isinstance(rule, Record) and rule.metric == "slo:objective:ratio"
    }
    assert shares == {"": "vector(0.999)", "LIST": "vector(0.5)"}
    assert "(1 - 0.5)" in records(slo)["slo:current_burn_rate:ratio"]


def test_a_lower_bound_can_fail_and_never_pass_and_is_in_no_budget() -> None:
    sli = LatencySLI(("whole_seconds",), "", (), lower_bounds=(LowerBound("part_seconds", 'result="success"'),))
    found = records(replace(LATENCY, sli=sli))
    of_part = found[VERDICT].partition("\nor\n")[2]
    assert "part_seconds_bucket" in of_part
    assert "== 0" in of_part
    assert not any("part_seconds" in text for name, text in found.items() if name.startswith("slo:"))


@pytest.mark.parametrize(
    ("slo", "reason"),
    [
        (replace(LATENCY, sli=LatencySLI(("a",), "", ("slo", "verb"))), "told apart by slo, which the rules set"),
        (
            replace(
                LATENCY, sli=LatencySLI(("a",), "", (), native=True), objective=Objective(Limit(0.3), percentile=99.0)
            ),
            "300 ms lies inside a bucket of a native histogram",
        ),
    ],
)
def test_what_no_rule_says_faithfully_is_refused_with_the_reason(slo: SLO, reason: str) -> None:
    found = compiled(slo)
    assert isinstance(found, Refused)
    assert reason in found.reason


def test_growth_warnings_and_readings_of_a_run_are_left_out_by_name() -> None:
    objective = Objective(Limit(at_most=5.0, warn_at=3.0), grows_at_most=1 / 3600, gate=Gate.WORST_WINDOW)
    assert left_out(replace(VALUE, objective=objective)) == (
        "that it grows by at most 1 items/h: growth is judged over a run",
        "the warn level: a rule passes or fails",
        "judge: worst_window, which speaks of a run: the rules judge windows",
    )
    only_grows = replace(VALUE, objective=Objective(Limit(), grows_at_most=1.0))
    assert set(records(only_grows)) == {"sloagent:slo_value"}
    assert alerts(only_grows) == []


def test_a_title_is_no_template() -> None:
    violated = alerts(replace(VALUE, title=Text("Orders {{ $value }}")))[0]
    assert dict(violated.annotations)["description"].startswith('Orders {{ "{{" }} $value }}. ')


@pytest.mark.parametrize(
    ("where", "labels"),
    [
        ('verb=~"POST|PUT", resource!="", job="a"', {"verb": "POST", "resource": "x", "job": "a", "zone": "x"}),
        ("verb!~\"|WATCH\", job=~'.+'", {"verb": "x", "job": "x", "zone": "x"}),
        (r'path=~"/api/.*", path!~"/api/"', None),
        ('job=""', {"zone": "x"}),
        ("", {"zone": "x"}),
    ],
)
def test_labels_that_matchers_accept_are_found_or_known_not_to_be(where: str, labels: dict[str, str] | None) -> None:
    assert accepted(where, ("zone",)) == labels
