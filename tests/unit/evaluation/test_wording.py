from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation import wording
from sloagent.model.slo import Limit
from sloagent.model.verdict import Quantile, Share
from tests.unit.evaluation.build import KARMADA, bucketed, judged, latency, promising, ratio, value

GIB = 1024.0**3


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (4.4100001, "seconds", "4.41 s"),
        (0.0124, "seconds", "12.4 ms"),
        (0.005, "seconds", "5 ms"),
        (0.00035, "seconds", "350 µs"),
        (0.99996, "seconds", "1 s"),
        (30.0, "seconds", "30 s"),
        (300.0, "seconds", "5 min"),
        (0.0, "seconds", "0 s"),
        (-0.5, "seconds", "-500 ms"),
        (inf, "seconds", "+∞ s"),
        (8 * GIB, "bytes", "8 GiB"),
        (7.9 * GIB, "bytes", "7.9 GiB"),
        (1023.0, "bytes", "1,023 B"),
        (1.5 * 1024**2, "bytes/s", "1.5 MiB/s"),
        (0.52341, "cores", "0.523 cores"),
        (1.0, "cores", "1 core"),
        (1204.4, "goroutines", "1,204 goroutines"),
        (0.978, "ratio", "97.8 %"),
        (3.25, "", "3.25"),
    ],
)
def test_a_measured_number_has_three_significant_digits_and_its_unit(number, unit, text):
    assert wording.quantity(number, unit) == text


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (2.048, "seconds", "2.048 s"),
        (0.1, "seconds", "100 ms"),
        (1.0, "seconds", "1 s"),
        (8 * GIB, "bytes", "8 GiB"),
        (0.999, "ratio", "99.9 %"),
        (0.99995, "ratio", "99.995 %"),
        (5000.0, "goroutines", "5,000 goroutines"),
    ],
)
def test_a_written_number_keeps_all_its_digits(number, unit, text):
    assert wording.exactly(number, unit) == text


@pytest.mark.parametrize(
    ("number", "limit", "unit", "text"),
    [
        (8.0001 * GIB, 8 * GIB, "bytes", "8.0001 GiB"),
        (0.99999, 1.0, "seconds", "999.99 ms"),
        (1.0000001, 1.0, "seconds", "1.0000001 s"),
        (8 * GIB, 8 * GIB, "bytes", "8 GiB"),
        (9.996, 10.0, "", "9.996"),
    ],
)
def test_a_number_is_never_rounded_onto_the_limit_that_it_misses(number, limit, unit, text):
    assert wording.quantity(number, unit, against=limit) == text


@pytest.mark.parametrize(
    ("share", "limit", "text"),
    [
        (0.978, None, "97.8 %"),
        (0.9996, None, "99.96 %"),
        (0.999999, None, "99.9999 %"),
        (1.0, None, "100 %"),
        (0.0, None, "0 %"),
        (0.00001, None, "0.001 %"),
        (0.98996, 0.99, "98.996 %"),
        (0.99, 0.99, "99 %"),
        (0.9990001, 0.999, "99.90001 %"),
        (1 / 3, None, "33.3 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_to_none_or_to_its_limit(share, limit, text):
    assert wording.percent(share, against=limit) == text


@given(st.floats(0, 1), st.sampled_from((0.9, 0.95, 0.99, 0.999)))
def test_the_text_of_a_share_says_the_same_as_the_verdict(share, limit):
    shown = float(wording.percent(share, against=limit).removesuffix(" %"))
    for edge in (0, limit, 1):
        if abs(share - edge) > 1e-9:
            assert (shown > edge * 100) == (share > edge)


@pytest.mark.parametrize(
    ("quantile", "text", "alone"),
    [
        (Quantile(4.41, 4, 5), "4.41 s (4–5 s)", "4–5 s"),
        (Quantile(1.6, 1.024, 2.048), "1.6 s (1.02–2.05 s)", "1.02–2.05 s"),
        (Quantile(0.0124, 0.008, 0.016), "12.4 ms (8–16 ms)", "8–16 ms"),
        (Quantile(0.8, 0.512, 1.024), "800 ms (512 ms–1.02 s)", "512 ms–1.02 s"),
        (Quantile(0.00495, 0, 0.005), "≤ 5 ms (first bucket)", "≤ 5 ms (first bucket)"),
        (Quantile(-1, -inf, -1), "≤ -1 s (first bucket)", "≤ -1 s (first bucket)"),
        (Quantile(2.048, 2.048, inf), "> 2.05 s (last bucket)", "> 2.05 s (last bucket)"),
    ],
)
def test_a_percentile_carries_its_bucket(quantile, text, alone):
    assert wording.percentile(quantile) == text
    assert wording.bucket(quantile) == alone


def test_the_p99_of_all_in_the_first_5_ms_bucket_reads_5_ms_never_4_95():
    slo = latency(at_most=0.005)
    text = wording.value(slo, judged(slo, bucketed((0.005, 0.01, inf), [0.001] * 100)))
    assert text == "≤ 5 ms (first bucket)"


def test_without_a_percentile_there_is_a_dash():
    assert wording.percentile(None) == "—"
    assert wording.value(value(), judged(value(), nan)) == "—"


def test_the_promised_percentile_is_the_one_shown():
    slo = latency(percentile=50.0)
    verdict = judged(slo, bucketed(KARMADA, [0.5] * 60 + [30.0] * 40))
    assert wording.promised_quantile(slo, verdict) == verdict.quantiles[0]


@pytest.mark.parametrize(
    ("slo", "text"),
    [
        (latency(at_most=2.048), "P99 ≤ 2.048 s"),
        (latency(percentile=99.9), "P99.9 ≤ 1 s"),
        (ratio(at_least=0.999), "≥ 99.9 %"),
        (value(Limit(at_most=8 * GIB)), "≤ 8 GiB"),
        (promising(value(Limit(at_most=8 * GIB)), grows_at_most=20 * 1024**2 / 3600), "≤ 8 GiB, ≤ +20 MiB/h"),
        (promising(value(Limit()), grows_at_most=20 * 1024**2 / 3600), "≤ +20 MiB/h"),
    ],
)
def test_an_objective_reads_as_it_was_meant(slo, text):
    assert wording.objective(slo) == text


def test_a_share_with_a_width_names_both_ends():
    assert wording.shares(Share(0.971, 0.978)) == "97.1–97.8 %"
    assert wording.shares(Share(0.971, 0.971)) == "97.1 %"
