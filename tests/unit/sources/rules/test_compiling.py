"""What becomes of an SLO, and what is refused or left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sloagent.model.slo import SLO, Gate, LatencySLI, Limit, LowerBound, Objective, Override, RatioSLI, Text, ValueSLI
from sloagent.sources.rules.compiling import compiled
from sloagent.sources.rules.rule import VERDICT, Alert, Compiled, Record, Refused
from sloagent.sources.rules.terms import STANDARD, BurnPair
from sloagent.sources.rules.trying import accepted, trials

LATENCY = SLO(
    "own", "api", LatencySLI(("a_seconds",), 'job="a"', ("verb",)), Objective(Limit(at_most=1.0), percentile=99.0), 60, 300
)  # fmt: skip
RATIO = replace(
    LATENCY, sli=RatioSLI("bad", "bad[$window]", "all[$window]"), objective=Objective(Limit(at_least=0.999))
)
VALUE = replace(LATENCY, sli=ValueSLI("depth", "items"), objective=Objective(Limit(at_most=5.0)))
OF_ONE_WINDOW = ["SLOViolated", "SLONoData", "SLOCannotBeJudged"]


def rules_of(slo: SLO) -> Compiled:
    found = compiled(slo)
    assert isinstance(found, Compiled), found
    return found


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
    assert rules_of(wide).left_out == ("the burn rate 14.4 over 1h: a budget of 10 % cannot burn so fast",)
    whole = replace(LATENCY, objective=Objective(Limit(at_most=1.0), percentile=100.0))
    assert burning(whole) == []
    assert "slo:current_burn_rate:ratio" not in records(whole)
    assert [alert.name for alert in alerts(whole)] == OF_ONE_WINDOW


def test_the_windows_of_a_value_hold_two_evaluations_at_least() -> None:
    slow = replace(VALUE, interval=900, window=900)
    assert burning(slow) == [("6h", "page"), ("1d", "ticket"), ("3d", "ticket")]
    assert rules_of(slow).left_out == ("the burn rate 14.4 over 1h: 5m hold no two evaluations",)


def test_other_terms_are_data() -> None:
    terms = replace(
        STANDARD, burn=(BurnPair(2.0, 600, 60, "info"),), violated_after=1, runbook="https://runbook.example"
    )
    found = compiled(LATENCY, terms)
    assert isinstance(found, Compiled)
    violated, *_, burns = (rule for rule in found.rules if isinstance(rule, Alert))
    assert (violated.after, violated.keep) == (0, 0)
    assert dict(violated.annotations)["runbook_url"] == "https://runbook.example"
    assert dict(burns.labels) == {"severity": "info", "set": "own", "slo": "api", "window": "10m"}


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
    assert rules_of(replace(VALUE, objective=objective)).left_out == (
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
