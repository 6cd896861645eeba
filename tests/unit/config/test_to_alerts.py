"""`alerts:` of an SLO file: each field, over the defaults of its set, over sloagent's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sloagent.config.reader import parse
from sloagent.config.to_model import Loaded, to_model
from sloagent.model.alert import Alerts, Burning, BurnPair, Regressing, Repeated, Severity
from sloagent.model.alert_defaults import BURN_PAIRS, STANDARD_ALERTS
from sloagent.model.comparison import Terms

INFO, PAGE, TICKET = Severity.INFO, Severity.PAGE, Severity.TICKET
REPEATED = {
    "violated": Repeated(after=3, severity=TICKET, over_after=3),
    "no_data": Repeated(after=10, severity=TICKET),
    "cannot_evaluate": Repeated(after=10, severity=INFO),
}
RULES = (*REPEATED, "burn_rate", "regression", "leak")


def load(own: str = "", defaults: str = "") -> Loaded:
    text = (
        "apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {name: shop}\n"
        + (f"defaults: {{alerts: {defaults}}}\n" if defaults else "")
        + "slos:\n  - name: depth\n    sli: {value: {query: max(depth), unit: orders}}\n    objective: {at_most: 5}\n"
        + (f"    alerts: {own}\n" if own else "")
    )
    return to_model(parse("shop.yaml", text.encode()), {})


def alerts(own: str = "", defaults: str = "") -> Alerts:
    loaded = load(own, defaults)
    assert loaded.problems == ()
    assert loaded.slo_set is not None
    return loaded.slo_set.slos[0].alerts


def checks(own: str = "", defaults: str = "") -> list[str]:
    return [problem.check for problem in load(own, defaults).problems]


def test_nothing_needs_to_be_written() -> None:
    assert alerts() == alerts("{}", "{}") == STANDARD_ALERTS
    assert Alerts(
        violated=REPEATED["violated"], burn_rate=Burning(BURN_PAIRS),
        regression=Regressing(1_800, Terms(), TICKET), leak=TICKET, no_data=REPEATED["no_data"],
        cannot_evaluate=REPEATED["cannot_evaluate"],
    ) == STANDARD_ALERTS  # fmt: skip


# ---- each field ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", REPEATED)
def test_a_rule_of_single_windows_has_after_over_after_and_severity_of_its_own(rule: str) -> None:
    standard = REPEATED[rule]
    for written, expected in (
        ("{after: 1}", replace(standard, after=1)),
        ("{over_after: 7}", replace(standard, over_after=7)),
        ("{severity: page}", replace(standard, severity=PAGE)),
        ("{after: 1000, over_after: 1000, severity: info}", Repeated(1000, INFO, 1000)),
        ("{enabled: true}", standard),
        ("{enabled: false}", None),
        ("{enabled: false, after: 2}", None),
    ):
        assert alerts(f"{{{rule}: {written}}}") == replace(STANDARD_ALERTS, **{rule: expected})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{period: 2h}", Burning(BURN_PAIRS, 7_200)),
        (
            "{pairs: [{factor: 2, long: 1h, short: 5m, severity: info}]}",
            Burning((BurnPair(2.0, 3_600, 300, INFO),)),
        ),
        (
            "{period: 7d, pairs: [{factor: 1.5, long: 1d, short: 1d, severity: page}]}",
            Burning((BurnPair(1.5, 86_400, 86_400, PAGE),), 604_800),
        ),
        ("{enabled: true}", Burning(BURN_PAIRS)),
        ("{enabled: false}", None),
    ],
)
def test_burn_rates_have_a_period_and_pairs_of_their_own(written: str, expected: Burning | None) -> None:
    assert alerts(f"{{burn_rate: {written}}}") == replace(STANDARD_ALERTS, burn_rate=expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{window: 1h}", Regressing(3_600, Terms(), TICKET)),
        ("{tolerance: 10%}", Regressing(1_800, Terms(tolerance=0.1), TICKET)),
        ("{tolerance: 0.1}", Regressing(1_800, Terms(tolerance=0.1), TICKET)),
        ("{confidence: 99.9%}", Regressing(1_800, Terms(level=0.001), TICKET)),
        ("{noise: 2%}", Regressing(1_800, Terms(noise=0.02), TICKET)),
        ("{severity: page}", Regressing(1_800, Terms(), PAGE)),
        ("{enabled: false}", None),
    ],
)
def test_regressions_have_a_window_and_terms_of_their_own(written: str, expected: Regressing | None) -> None:
    assert alerts(f"{{regression: {written}}}") == replace(STANDARD_ALERTS, regression=expected)


def test_a_leak_has_a_severity_or_is_off() -> None:
    assert alerts("{leak: {severity: page}}") == replace(STANDARD_ALERTS, leak=PAGE)
    assert alerts("{leak: {enabled: false}}") == replace(STANDARD_ALERTS, leak=None)


def test_labels_and_a_runbook_are_those_of_every_alert() -> None:
    found = alerts("{labels: {team: shop, area: checkout}, runbook: 'https://example.com/depth?x=1#y'}")
    assert found == replace(
        STANDARD_ALERTS,
        labels=(("area", "checkout"), ("team", "shop")),
        runbook="https://example.com/depth?x=1#y",
    )


# ---- defaults and own ----------------------------------------------------------------------------------------------


def test_an_slo_s_own_words_come_before_those_of_the_defaults_field_by_field() -> None:
    found = alerts(
        "{violated: {severity: page}, burn_rate: {period: 1d}, regression: {tolerance: 20%}, no_data: {after: 5}}",
        "{violated: {after: 1, severity: info}, burn_rate: {pairs: [{factor: 2, long: 1h, short: 5m, severity: info}]},"
        " regression: {confidence: 95%, severity: page}, no_data: {over_after: 2}, leak: {severity: info}}",
    )
    assert found == Alerts(
        violated=Repeated(after=1, severity=PAGE, over_after=3),
        burn_rate=Burning((BurnPair(2.0, 3_600, 300, INFO),), 86_400),
        regression=Regressing(1_800, Terms(tolerance=0.2, level=0.05), PAGE),
        leak=INFO,
        no_data=Repeated(after=5, severity=TICKET, over_after=2),
        cannot_evaluate=REPEATED["cannot_evaluate"],
    )


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_the_defaults_turn_off_stays_off_until_the_slo_says_a_word_of_it(rule: str) -> None:
    off = f"{{{rule}: {{enabled: false}}}}"
    other = "leak" if rule == "violated" else "violated"
    for own in ("", "{}", f"{{{rule}: {{}}}}", off):
        assert alerts(own, off) == replace(STANDARD_ALERTS, **{rule: None})  # type: ignore[arg-type]
    on_again = alerts(f"{{{rule}: {{enabled: true}}, {other}: {{enabled: false}}}}", off)
    assert on_again == replace(STANDARD_ALERTS, **{other: None})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("{violated: {after: 1}}", replace(STANDARD_ALERTS, violated=Repeated(1, TICKET, 3))),
        ("{burn_rate: {period: 2h}}", replace(STANDARD_ALERTS, burn_rate=Burning(BURN_PAIRS, 7_200))),
        ("{regression: {window: 1h}}", replace(STANDARD_ALERTS, regression=Regressing(3_600, Terms(), TICKET))),
        ("{leak: {severity: page}}", replace(STANDARD_ALERTS, leak=PAGE)),
    ],
)
def test_a_word_of_a_rule_that_the_defaults_turn_off_turns_it_on_with_the_standard(own: str, expected: Alerts) -> None:
    (rule,) = own[1:].split(":")[:1]
    assert alerts(own, f"{{{rule}: {{enabled: false}}}}") == expected


@pytest.mark.parametrize("rule", RULES)
def test_an_slo_can_turn_off_what_the_defaults_speak_of(rule: str) -> None:
    found = alerts(f"{{{rule}: {{enabled: false}}}}", f"{{{rule}: {{enabled: true}}}}")
    assert found == replace(STANDARD_ALERTS, **{rule: None})  # type: ignore[arg-type]


def test_labels_are_added_to_those_of_the_defaults_and_the_slo_s_own_value_wins() -> None:
    found = alerts("{labels: {team: shop, tier: '1'}}", "{labels: {team: platform, area: all}}")
    assert found.labels == (("area", "all"), ("team", "shop"), ("tier", "1"))


def test_the_runbook_of_the_defaults_holds_until_the_slo_has_its_own() -> None:
    general = "{runbook: https://example.com/all}"
    assert alerts("", general).runbook == "https://example.com/all"
    assert alerts("{runbook: http://example.com/one}", general).runbook == "http://example.com/one"


def test_what_an_slo_is_watched_by_does_not_make_it_another_one() -> None:
    plain, watched = load().slo_set, load("{violated: {after: 1}, labels: {team: shop}}").slo_set
    assert plain is not None
    assert watched is not None
    assert plain.slos[0].fingerprint() == watched.slos[0].fingerprint()
    assert plain.slos[0] == watched.slos[0]


# ---- mistakes that are found in more than one place ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "check"),
    [
        ("{violated: {after: 0}}", "slo/value"),
        ("{violated: {after: 1001}}", "slo/value"),
        ("{violated: {over_after: 0}}", "slo/value"),
        ("{violated: {for: 3}}", "slo/field"),
        ("{violated: false}", "slo/type"),
        ("{leak: {after: 3}}", "slo/field"),
        ("{burn_rate: {pairs: []}}", "slo/value"),
        ("{burn_rate: {period: 30s}}", "slo/value"),
        ("{burn_rate: {severity: page}}", "slo/field"),
        ("{burn_rate: {pairs: [{factor: 0, long: 1h, short: 5m, severity: page}]}}", "slo/value"),
        ("{burn_rate: {pairs: [{factor: 2, long: 5m, short: 1h, severity: page}]}}", "alerts/window"),
        ("{burn_rate: {pairs: [{factor: 2, long: 1h, short: 5m}]}}", "slo/missing"),
        ("{regression: {tolerance: 0%}}", "alerts/value"),
        ("{regression: {tolerance: 100%}}", "alerts/value"),
        ("{regression: {confidence: 1}}", "alerts/value"),
        ("{regression: {noise: 3ms}}", "alerts/unit"),
        ("{regression: {window: 30s}}", "slo/value"),
        ("{labels: {run: mine}}", "alerts/label"),
        ("{labels: {a-b: c}}", "alerts/label"),
        ("{runbook: 'javascript:alert(1)'}", "alerts/link"),
        ("{runbook: www.example.com}", "alerts/link"),
        ("{runbook: 'https://ada:secret@example.com'}", "alerts/link"),
    ],
)
def test_a_mistake_is_found_in_the_defaults_as_in_an_slo(written: str, check: str) -> None:
    assert checks(written) == [check]
    assert checks("", written) == [check]
