from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent import units
from sloagent.units import UnitError

DECIMALS = st.decimals(min_value=0, max_value=10**6, places=3, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (" 90 d ", 7_776_000),
        ("1d 2h", 93_600),
        ("0s", 0),
        ("5µs", 5e-6),
    ],
)
def test_a_duration_is_read_in_seconds(text, seconds):
    assert units.duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-5s", "1m1h", "5s5s", "5 parsecs", "1:30", "1e3s", "1h30", "²s", "9" * 70 + "s"]
)
def test_what_is_no_duration_is_refused_with_a_hint(text):
    with pytest.raises(UnitError) as caught:
        units.duration(text)
    assert caught.value.summary
    assert caught.value.hint
    assert str(caught.value) == f"{caught.value.summary}; {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("512B", 512), ("16MiB", 2**24), ("1.5kB", 1500), ("2 GiB", 2**31)]
)
def test_a_size_is_read_in_bytes(text, size):
    assert units.byte_size(text) == size


@pytest.mark.parametrize("text", ["16", "16Mi", "16M", "-1B", "0.5B", "MiB", "16 mib"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UnitError):
        units.byte_size(text)


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("1s", "seconds", 1.0), ("99.9%", "ratio", 0.999), ("0.999", "ratio", 0.999), ("150%", "ratio", 1.5),
        ("8GiB", "bytes", 2.0**33), ("0.5 cores", "cores", 0.5), ("1 core", "cores", 1), ("250 millicores", "cores", 0.25),
        ("5000", "goroutines", 5000), ("5000 goroutines", "goroutines", 5000), ("1 goroutine", "goroutines", 1),
        ("-3", "offset", -3), ("1e3", "goroutines", 1000), ("20MiB/s", "bytes/s", 20 * 2.0**20),
        ("60 requests/m", "requests/s", 1), ("60/m", "requests/s", 1), ("50%/s", "ratio/s", 0.5),
    ],
)  # fmt: skip
def test_a_quantity_is_read_in_its_base_unit(text, unit, number):
    assert units.quantity(text, unit) == number


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("99.9", "ratio"), ("1.01", "ratio"), ("-0.1", "ratio"), ("99.9s", "ratio"), ("1", "seconds"), ("8", "bytes"),
        ("8GiB", "seconds"), ("1s", "bytes"), ("0.5", "cores"), ("5k", "goroutines"), ("5 threads", "goroutines"),
        ("20MiB", "bytes/s"), ("20MiB/x", "bytes/s"), ("1e999", "goroutines"), ("nan", "ratio"), ("inf", "bytes"),
        ("", "ratio"), ("1_000", "goroutines"), ("٣", "goroutines"),
    ],
)  # fmt: skip
def test_a_number_without_its_unit_or_with_another_is_refused(text, unit):
    with pytest.raises(UnitError):
        units.quantity(text, unit)


def test_a_bare_ratio_beyond_one_says_what_it_would_mean():
    with pytest.raises(UnitError) as caught:
        units.quantity("99.9", "ratio")
    assert caught.value.summary == "a ratio of 99.9 would mean 9,990 %"
    assert caught.value.hint == "write 99.9% or 0.999"


@pytest.mark.parametrize(
    ("text", "unit", "per_second"),
    [
        ("20MiB/h", "bytes", 20 * 2**20 / 3600),
        ("60/h", "goroutines", 1 / 60),
        ("1%/d", "ratio", 0.01 / 86_400),
        ("1MiB/s/h", "bytes/s", 2**20 / 3600),
    ],
)
def test_growth_is_read_per_second(text, unit, per_second):
    assert units.growth(text, unit) == pytest.approx(per_second, rel=1e-15)


@pytest.mark.parametrize("text", ["20MiB", "20MiB/", "/h", "20MiB/hour", "20/h"])
def test_growth_without_its_time_or_unit_is_refused(text):
    with pytest.raises(UnitError):
        units.growth(text, "bytes")


@pytest.mark.parametrize("unit", ["seconds", "bytes", "cores", "ratio", "goroutines", "bytes/s", "http_requests"])
def test_a_base_unit_or_a_word_names_a_unit(unit):
    units.check_unit(unit)


@pytest.mark.parametrize(
    "unit", ["MiB", "ms", "s", "second", "byte", "core", "%", "percent", "two words", "a/b", "", "bytes/m"]
)
def test_a_scaled_unit_names_none(unit):
    with pytest.raises(UnitError):
        units.check_unit(unit)


@given(DECIMALS)
def test_percent_and_share_are_the_same_number(percent):
    share = percent / 100
    if share <= 1:
        assert units.quantity(f"{percent}%", "ratio") == units.quantity(f"{share:f}", "ratio")


@given(DECIMALS, st.sampled_from(sorted(units.SECONDS_PER)))
def test_a_duration_is_exact(number, unit):
    assert units.duration(f"{number}{unit}") == float(Fraction(number) * units.SECONDS_PER[unit])


@given(st.lists(st.sampled_from(["w", "d", "h", "m", "s", "ms"]), min_size=1, unique=True), st.integers(1, 999))
def test_parts_of_a_duration_add_up(names, number):
    ordered = sorted(names, key=lambda unit: -units.SECONDS_PER[unit])
    text = "".join(f"{number}{unit}" for unit in ordered)
    assert units.duration(text) == float(sum(number * units.SECONDS_PER[unit] for unit in ordered))


@given(st.integers(0, 10**12).map(lambda n: n / 1000))
def test_a_written_duration_is_read_as_the_same(seconds):
    assert units.duration(units.written_duration(seconds)) == seconds


@given(st.integers(0, 2**60))
def test_a_written_size_is_read_as_the_same(size):
    assert units.byte_size(units.written_bytes(size)) == size


@given(st.text(max_size=80), st.sampled_from(["seconds", "bytes", "cores", "ratio", "things", "bytes/s"]))
def test_any_text_is_a_finite_number_or_a_unit_error(text, unit):
    for read in (lambda: units.duration(text), lambda: units.quantity(text, unit), lambda: units.growth(text, unit)):
        try:
            assert abs(read()) < float("inf")
        except UnitError as error:
            assert error.hint
