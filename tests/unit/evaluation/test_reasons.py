from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from string import Formatter

import pytest

from sloagent.evaluation.judge import judge
from sloagent.evaluation.phrases import PHRASES, phrase
from sloagent.evaluation.reasons import reason
from sloagent.evaluation.summary import summarise, tally
from sloagent.model.samples import Events, Kind, Malformed
from sloagent.model.slo import Gate, Limit
from tests.unit.evaluation.build import (
    KARMADA,
    NODES,
    PODS,
    answer,
    bucketed,
    histogram,
    judged,
    latency,
    promising,
    ratio,
    refusal,
    slot_of,
    value,
)  # fmt: skip

TBD = replace(latency(), objective=None)
LEAK = promising(value(Limit(at_most=2**33)), grows_at_most=20 * 1024**2 / 3600)
ABSENT_ZH = "共 300 个事件，但坏事件的查询没有返回时间序列：拼写错误，或尚无坏事件（`bad_absent: zero`）"
TWICE = "2 times as many good events as there are in all: the two queries do not count the same events"
WARNED = "7 cores, at most 8 cores promised; past the warn level of 6 cores"
MIXED = {"in": [0.5] * 980 + [1.5] * 20, "slow": [0.5] * 978 + [30.0] * 22}

SENTENCES = [
    (latency(2.048), bucketed(KARMADA, MIXED["slow"]), "97.8 % within 2.048 s, 99 % promised"),
    (
        latency(2.0),
        bucketed(KARMADA, MIXED["in"]),
        "98 % within 1.024 s and 100 % within 2.048 s, 99 % promised: the limit of 2 s lies inside that bucket",
    ),
    (
        latency(0.0005),
        bucketed(KARMADA, [0.0001] * 50),
        "between 0 % and 100 % within 500 µs, 99 % promised: the limit lies inside the first bucket, ≤ 1 ms",
    ),
    (
        latency(5.0),
        bucketed(KARMADA, MIXED["slow"]),
        "97.8 % within 2.048 s, the last bound; the limit of 5 s lies beyond it, so 99 % is open",
    ),
    (latency(5.0), histogram((inf,), (3,)), "the histogram has no bucket but +Inf, which tells nothing about 5 s"),
    (
        latency(1.0),
        histogram((1, 2, inf), (995, 985, 1000)),
        "between 98.5 % and 99.5 % within 1 s, 99 % promised: the counts fall too far from bound to bound",
    ),
    (
        latency(1.0),
        histogram((1, 2, inf), (999, 998, 1000)),
        "99.8–99.9 % within 1 s, 99 % promised; counts fall from bound to bound, which does not change the verdict",
    ),
    (latency(min_events=10), bucketed(KARMADA, [0.1] * 3), "3 events, 10 needed to judge"),
    (latency(min_events=10), histogram((1, inf), (9.996 / 300,) * 2), "9.996 events, 10 needed to judge"),
    (latency(), histogram((1, inf), (0, 0)), "no events"),
    (latency(), Malformed("+Inf is missing"), "unusable answer: +Inf is missing"),
    (TBD, bucketed(KARMADA, [0.7] * 10), "P99 1.02 s (512 ms–1.02 s); no objective yet"),
    (
        promising(latency(), limit=Limit(1.024, warn_at=0.512)),
        bucketed(KARMADA, [0.7] * 10),
        "100 % within 1.024 s, 99 % promised; not shown to keep the warn level of 512 ms",
    ),
    (ratio(at_least=0.999), Events(0.01, 1.0), "99 % of 300 events good, 99.9 % promised"),
    (ratio(at_least=0.999), Events(0.0010004, 1.0), "99.89996 % of 300 events good, 99.9 % promised"),
    (ratio("good"), Events(2.0, 1.0), TWICE),
    (ratio(), Events(2.0, 0.0), "bad events where the total counts none: the two queries do not count the same events"),
    (ratio(), Events(2.0, None), "bad events without their total: the two queries do not give the same series"),
    (
        ratio(),
        Events(None, 1.0),
        "300 events, but the query for the bad ones gives no series: a typo, or none was bad yet (`bad_absent: zero`)",
    ),
    (ratio(), Events(None, None), "no such series"),
    (value(Limit(at_most=2**33)), 2**33 * 1.00001, "8.0001 GiB, at most 8 GiB promised"),
    (value(Limit(at_least=3), unit="members"), 2.0, "2 members, at least 3 members promised"),
    (value(Limit(at_most=8, warn_at=6), unit="cores"), 7.0, WARNED),
    (value(), nan, "the answer is NaN, not a number"),
    (value(Limit(at_most=1.0), unit="seconds"), inf, "+∞ s, at most 1 s promised"),
    (promising(LEAK, limit=Limit()), 2.0**30, "1 GiB; only its growth is limited, judged from 1 h on"),
]  # fmt: skip


@pytest.mark.parametrize(("slo", "sample", "sentence"), SENTENCES, ids=[s[2][:40] for s in SENTENCES])
def test_a_reason_carries_the_numbers(slo, sample, sentence):
    assert reason(slo, judged(slo, sample)) == sentence


def test_a_reason_is_told_in_chinese_from_the_same_numbers():
    assert reason(ratio(), judged(ratio(), Events(None, 1.0)), "zh") == ABSENT_ZH


def test_a_language_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="no such language"):
        phrase("no_events", "fr")


@pytest.mark.parametrize("key", PHRASES)
def test_both_languages_carry_the_same_facts(key):
    english, chinese = ({field for _, field, _, _ in Formatter().parse(text) if field} for text in PHRASES[key])
    assert chinese == english


def test_a_slot_counts_its_series():
    slow, few = bucketed(KARMADA, [30.0] * 50), bucketed(KARMADA, [0.1] * 3)
    fast = bucketed(KARMADA, [0.1] * 50)
    slo = latency(min_events=10)
    series = {PODS: slow, NODES: fast, (("resource", "a"),): few, (("resource", "b"),): histogram((1, inf), (0, 0))}
    text = reason(slo, judge(slo, 600, answer(series)))
    assert text == "1 of 4 series fail; 1 with too few events to judge; 1 without data"


def test_a_slot_of_one_series_has_its_reason():
    assert reason(latency(), judge(latency(), 600, answer({PODS: histogram((1, inf), (0, 0))}))) == "no events"


def test_a_slot_without_series_says_what_that_means():
    assert "the metric or its labels do not exist here" in reason(latency(), judge(latency(), 600, answer({})))


@pytest.mark.parametrize(("final", "text"), [(True, "refused: HTTP 422"), (False, "no answer yet: HTTP 422")])
def test_a_refusal_is_told_in_the_peers_words(final, text):
    slot = judge(latency(), 600, refusal(Kind.EXECUTION, final=final, message="HTTP 422"))
    assert reason(latency(), slot) == text


def over(slo, samples, expected=None, whole=None):
    recorded = [slot_of(slo, 1_795_326_960 + 60 * i, {PODS: s}) for i, s in enumerate(samples)]
    return summarise(slo, tally(slo, recorded), expected=expected or len(samples), excluded=0, whole=whole)


def test_a_range_says_how_many_windows_were_good_and_when_it_was_worst():
    text = reason(latency(2.048), over(latency(2.048), [bucketed(KARMADA, MIXED["slow"])] * 4))
    assert text == (
        "0 of 4 windows good (99 % needed); worst at 2026-11-22 05:56 UTC: 97.8 % within 2.048 s, 99 % promised"
    )


def test_a_range_with_undecided_windows_counts_them():
    good = bucketed(KARMADA, [0.1] * 50)
    text = reason(latency(), over(latency(), [good] * 95, expected=100))
    assert text == "95 of 100 windows good (99 % needed); 5 undecided"


def test_a_range_with_too_little_evaluated_says_so_first():
    good = bucketed(KARMADA, [0.1] * 50)
    text = reason(latency(), over(latency(), [good] * 5, expected=10))
    assert text.startswith("5 of 10 slots undecided: at least 90 % must have been evaluated; 5 of 10 windows good")


def test_a_range_judged_as_a_whole_gives_the_reason_of_the_whole():
    slo = promising(latency(2.048), gate=Gate.WHOLE_RUN)
    summary = over(slo, [bucketed(KARMADA, [0.1] * 50)], whole={PODS: bucketed(KARMADA, MIXED["slow"], window=1)})
    assert reason(slo, summary) == "over the whole stretch: 97.8 % within 2.048 s, 99 % promised"
    assert reason(slo, over(slo, [bucketed(KARMADA, [0.1] * 50)])) == "the events of the whole stretch are not known"


def test_a_leak_states_its_slope_and_interval():
    numbers = [2.0**30 + i * 1024**2 for i in range(120)]
    assert reason(LEAK, over(LEAK, numbers)) == "grows by 60 MiB/h (60 MiB/h to 60 MiB/h), at most 20 MiB/h promised"


def test_a_range_that_nobody_answered_says_how_little_was_evaluated():
    text = reason(latency(), summarise(latency(), tally(latency(), []), expected=4, excluded=0, whole=None))
    assert text == "only 0 of 4 slots evaluated, at least 90 % needed"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("slo", "sample", "_"), SENTENCES)
def test_every_verdict_has_a_reason_at_every_level(slo, sample, _, lang):
    slot = judge(slo, 600, answer({PODS: sample}))
    summary = over(slo, [sample] * 3)
    for verdict in (slot, slot.verdicts[0], summary, summary.series[0]):
        text = reason(slo, verdict, lang)
        assert text
        assert "{" not in text
        assert "None" not in text
