"""Error budgets and alerts, as Prometheus would read them."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest

from sloagent.model.alert import Active, BurnPair, Key, Rule, Severity, Stage
from sloagent.model.alert_defaults import STANDARD_ALERTS
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective
from sloagent.model.standing import Standing
from sloagent.sinks.standing import StandingMetrics

SLO_ = SLO("karmada", "api", LatencySLI(("a_seconds",), "", ("verb",)), Objective(Limit(at_most=1.0), 99.0), 60, 300)
PAIRS = (
    BurnPair(14.4, 3600, 300, Severity.PAGE), BurnPair(6.0, 5100, 600, Severity.PAGE),
    BurnPair(1.0, 86_400, 5100, Severity.TICKET),
)  # fmt: skip


def scrape(*standings: Standing) -> list[str]:
    registry = CollectorRegistry()
    registry.register(StandingMetrics(lambda: standings))
    return [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]


def standing(**fields: object) -> Standing:
    return replace(Standing(SLO_, PAIRS, None, {}, {}), **fields)


def test_a_burn_rate_names_its_window_as_alerts_do_and_what_is_not_known_is_no_sample() -> None:
    rates = {(("verb", "GET"),): {300: 0.5, 3600: 0.0, 86_400: 12.25}, (("verb", "LIST"),): {5100: 2.0}}
    assert scrape(standing(rates=rates)) == [
        'sloagent_slo_burn_rate{set="karmada",slo="api",verb="GET",window="5m"} 0.5',
        'sloagent_slo_burn_rate{set="karmada",slo="api",verb="GET",window="1h"} 0.0',
        'sloagent_slo_burn_rate{set="karmada",slo="api",verb="GET",window="1d"} 12.25',
        'sloagent_slo_burn_rate{set="karmada",slo="api",verb="LIST",window="1h25m"} 2.0',
    ]


def test_labels_of_the_user_s_own_that_are_taken_get_exported_and_are_escaped() -> None:
    odd = (("job", "x"), ("verb", 'a"b\\\n'), ("window", "left"))
    (line,) = scrape(standing(rates={odd: {300: 1.0}}))
    taken = 'exported_job="x",exported_window="left",set="karmada",slo="api"'
    assert line == f'sloagent_slo_burn_rate{{{taken},verb="a\\"b\\\\\\n",window="5m"}} 1.0'


def test_what_is_left_of_a_budget_is_told_of_each_run_and_may_be_negative() -> None:
    name = "sloagent_slo_error_budget_remaining_ratio"
    assert scrape(standing(left={"soak-7": -0.5, "soak-8": 1.0})) == [
        f'{name}{{run="soak-7",set="karmada",slo="api"}} -0.5', f'{name}{{run="soak-8",set="karmada",slo="api"}} 1.0',
    ]  # fmt: skip
    assert scrape(standing(left={"": 0.25})) == [f'{name}{{run="",set="karmada",slo="api"}} 0.25']


def test_alerts_are_counted_by_rule_severity_and_stage_with_zeros_of_the_rules_in_force() -> None:
    firing = Active(Stage.FIRING, Severity.PAGE, 300, fired=300)
    active = {
        Key(Rule.BURN_RATE, 3600, (("verb", "GET"),)): firing,
        Key(Rule.BURN_RATE, 3600, (("verb", "LIST"),)): firing,
        Key(Rule.VIOLATED, 0, (("verb", "GET"),)): Active(Stage.PENDING, Severity.TICKET, 300),
        Key(Rule.NO_DATA): replace(firing, severity=Severity.PAGE),
    }
    found = {
        tuple(part.split('"')[1] for part in line.split("{")[1].split("}")[0].split(",")): float(line.split()[-1])
        for line in scrape(standing(active=active))
    }
    assert found == {
        (rule, "karmada", severity, "api", stage): {
            ("burn_rate", "page", "firing"): 2.0, ("violated", "ticket", "pending"): 1.0,
            ("no_data", "page", "firing"): 1.0,
        }.get((rule, severity, stage), 0.0)
        for rule, severity in (
            ("violated", "ticket"), ("burn_rate", "page"), ("burn_rate", "ticket"), ("regression", "ticket"),
            ("no_data", "ticket"), ("cannot_evaluate", "info"),
        )
        for stage in ("pending", "firing")
    } | {("no_data", "karmada", "page", "api", "firing"): 1.0}  # it began when it was a page  # fmt: skip


def test_alerts_that_nobody_has_looked_at_are_not_told_to_be_none() -> None:
    assert scrape(standing()) == []


def test_rules_that_are_off_or_have_nothing_to_look_at_have_no_zeros() -> None:
    off = replace(STANDARD_ALERTS, violated=None, burn_rate=None, regression=None, no_data=None, cannot_evaluate=None)
    quiet = standing(slo=replace(SLO_, alerts=off), pairs=(), active={})
    assert scrape(quiet) == []
    leaky = replace(SLO_, alerts=off, objective=Objective(Limit(), grows_at_most=1.0))
    assert len(scrape(replace(quiet, slo=leaky))) == 2
