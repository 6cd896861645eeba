from __future__ import annotations

from math import inf

import pytest

from sloagent.evaluation.comparing_words import sentence, signed
from sloagent.model.comparison import Change, Moved, Terms, Why
from sloagent.model.slo import Limit
from tests.unit.evaluation.build import latency, ratio, value

CHANGED = {"estimate": 0.12, "lower": 0.08, "upper": 0.163}
SENTENCES = [
    (latency(), Moved(Change.WORSE, Why.DECIDED, **CHANGED), "+12 % (+8 % to +16.3 %), surely more than 5 %"),
    (
        latency(),
        Moved(Change.WORSE, Why.DECIDED, **CHANGED, percentile=99.0),
        "P99: +12 % (+8 % to +16.3 %), surely more than 5 %",
    ),
    (
        latency(),
        Moved(Change.WORSE, Why.DECIDED, **CHANGED, bound=0.4),
        "around 400 ms, beyond P99: +12 % (+8 % to +16.3 %), surely more than 5 %",
    ),
    (latency(), Moved(Change.WORSE, Why.DECIDED, lower=0.4), "at least +40 %, surely more than 5 %"),
    (latency(), Moved(Change.BETTER, Why.DECIDED, upper=-0.4), "at least −40 %, surely more than 5 %"),
    (
        latency(),
        Moved(Change.WORSE, Why.DECIDED, estimate=0.5, lower=0.2),
        "+50 % (+20 % to +∞), surely more than 5 %",
    ),
    (
        latency(),
        Moved(Change.SAME, Why.DECIDED, estimate=0.0, lower=-0.04999, upper=0.031),
        "0 % (−4.999 % to +3.1 %), surely within 5 %",
    ),
    (
        value(),
        Moved(Change.CANNOT_TELL, Why.STRADDLES, estimate=0.04, lower=-0.02, upper=0.1),
        "+4 % (−2 % to +10 %), which may be within 5 % or beyond it",
    ),
    (
        value(),
        Moved(Change.CANNOT_TELL, Why.NOISE, estimate=0.062, lower=0.051, upper=0.073),
        "+6.2 % (+5.1 % to +7.3 %), beyond 5 %, but two runs of the same thing may differ by as much",
    ),
    (
        latency(),
        Moved(Change.CANNOT_TELL, Why.INSIDE_BUCKET, bucket=(0.0, 0.005)),
        "both lie in ≤ 5 ms (first bucket): a shift inside a bucket cannot be seen",
    ),
    (
        latency(),
        Moved(Change.CANNOT_TELL, Why.INSIDE_BUCKET, bucket=(0.4, 0.6)),
        "both lie in 400–600 ms: a shift inside a bucket cannot be seen",
    ),
    (
        latency(),
        Moved(Change.CANNOT_TELL, Why.INSIDE_BUCKET, bucket=(60.0, inf)),
        "both lie in > 60 s (last bucket): a shift inside a bucket cannot be seen",
    ),
    (
        latency(),
        Moved(Change.CANNOT_TELL, Why.INSIDE_BUCKET),
        "both lie in one bucket: a shift inside it cannot be seen",
    ),
    (latency(), Moved(Change.CANNOT_TELL, Why.NOT_RUN, current=1.0), "not run in the baseline"),
    (latency(), Moved(Change.CANNOT_TELL, Why.NOT_RUN, baseline=1.0), "not run now"),
    (latency(), Moved(Change.CANNOT_TELL, Why.NOT_RUN), "run in neither"),
    (latency(), Moved(Change.CANNOT_TELL, Why.TOO_FEW), "too few events to compare"),
    (value(), Moved(Change.CANNOT_TELL, Why.TOO_FEW), "too short a run to compare"),
    (
        latency(),
        Moved(Change.CANNOT_TELL, Why.OTHER_BOUNDS),
        "the two histograms share no bound at which they could be compared",
    ),
    (
        latency(),
        Moved(Change.CANNOT_TELL, Why.NO_DISTRIBUTION, 1.0, 1.152, 0.152),
        "+15.2 %; numbers that were written down do not tell how sure that is",
    ),
    (latency(), Moved(Change.CANNOT_TELL, Why.NO_DISTRIBUTION), "numbers that were written down tell no change"),
    (
        ratio(),
        Moved(Change.SAME, Why.DECIDED, 1e-5, 2e-5, estimate=1.0, lower=0.1, upper=3.0),
        "+100 % (+10 % to +300 %), surely a difference within 5 % of the error budget",
    ),
    (
        ratio(),
        Moved(Change.SAME, Why.DECIDED, 0.0, 0.0),
        "0 % before, 0 % now, surely a difference within 5 % of the error budget",
    ),
    (ratio(), Moved(Change.WORSE, Why.DECIDED, 0.0, 0.1), "0 % before, 10 % now, surely not the same"),
    (
        ratio(),
        Moved(Change.CANNOT_TELL, Why.STRADDLES, 0.0, 0.001),
        "0 % before, 0.1 % now, which may be within 5 % or beyond it",
    ),
    (
        value(Limit(at_most=2**33)),
        Moved(Change.WORSE, Why.DECIDED, 0.0, 2.0**20),
        "0 B before, 1 MiB now, surely not the same",
    ),
]


@pytest.mark.parametrize(("slo", "moved", "said"), SENTENCES, ids=[said[:50] for _, _, said in SENTENCES])
def test_a_comparison_is_said_with_its_numbers(slo, moved, said):
    assert sentence(slo, moved, Terms()) == said


@pytest.mark.parametrize(("slo", "moved", "said"), SENTENCES, ids=[said[:50] for _, _, said in SENTENCES])
def test_chinese_says_the_same_from_the_same_numbers(slo, moved, said):
    chinese = sentence(slo, moved, Terms(), "zh")
    assert chinese != said
    assert "{" not in chinese
    assert "None" not in chinese
    assert [c for c in chinese if c.isdigit()] == [c for c in said if c.isdigit()]


def test_every_reason_and_verdict_has_a_sentence():
    for why in Why:
        for change in Change:
            for slo in (latency(), ratio(), value()):
                assert sentence(slo, Moved(change, why), Terms())


def test_a_change_has_its_sign_and_none_where_it_is_none():
    assert [signed(x) for x in (0.1234, -0.03, 0.0)] == ["+12.3 %", "−3 %", "0 %"]
    assert signed(-0.0500001, against=0.05) == "−5.00001 %"


def test_a_change_beyond_tenfold_says_only_that_and_nothing_falls_below_nothing():
    assert signed(9.0) == "+900 %"
    assert signed(9.1) == signed(inf) == "> +900 %"
    assert signed(-1.2) == "−100 %"
