"""From an answer's series to samples."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.errors import SourceError
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events, Kind, Malformed
from sloagent.model.slo import SLI, LatencySLI, RatioSLI, ValueSLI
from sloagent.sources.bounds import Bounds
from sloagent.sources.envelope import NativeHistogram, Point
from sloagent.sources.shapes import MOST_REMEMBERED_SERIES, Shape, Shapes, shape_of

BOUNDS = Bounds(series=MOST_REMEMBERED_SERIES, buckets=100, labels_bytes=4_096)
LATENCY = LatencySLI(("a",), "", ())
RATIO = RatioSLI("bad", "e", "t")
VALUE = ValueSLI("m", "bytes")


def raw(*series: dict[str, str]) -> list[msgspec.Raw]:
    return [msgspec.Raw(json.dumps(labels).encode()) for labels in series]


def shape(sli: SLI, *series: dict[str, str]) -> Shape:
    return shape_of(sli, raw(*series), BOUNDS)


def buckets(**counts: Point) -> object:
    made = shape(LATENCY, *({"le": le} for le in counts))
    (sample,) = made.samples(list(counts.values())).values()
    return sample


def test_buckets_are_sorted_by_number_not_by_text():
    sample = buckets(**{"+Inf": 9.0, "10": 8.0, "2": 5.0, "0.5": 1.0})
    assert sample == Distribution((0.5, 2.0, 10.0, math.inf), (1.0, 5.0, 8.0, 9.0))


def test_bounds_written_in_several_ways_are_one_and_their_counts_are_added():
    sample = buckets(**{"1": 1.0, "1.0": 2.0, "1e0": 4.0, "+Inf": 7.0, "Inf": 3.0})
    assert sample == Distribution((1.0, math.inf), (7.0, 10.0))


def test_counts_that_fall_are_kept_as_they_are():
    assert buckets(**{"1": 2.0, "2": 1.9, "+Inf": 2.0}) == Distribution((1.0, 2.0, math.inf), (2.0, 1.9, 2.0))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"1": 1.0, "2": 2.0}, 'no bucket le="+Inf"'),
        ({"fast": 1.0, "+Inf": 2.0}, 'le="fast" is not a bound'),
        ({"1_0": 1.0, "+Inf": 2.0}, 'le="1_0" is not a bound'),
        ({"NaN": 1.0, "+Inf": 2.0}, 'le="NaN" is not a bound'),
        ({"-Inf": 1.0, "+Inf": 2.0}, 'le="-Inf" is not a bound'),
        ({"": 1.0, "+Inf": 2.0}, "without the label le"),
        ({"1": -0.5, "+Inf": 2.0}, "the bucket le=1 counts -0.5 events"),
        ({"1": math.nan, "+Inf": 2.0}, "the bucket le=1 counts NaN events"),
        ({"1": 1.0, "+Inf": math.nan}, "the bucket le=+Inf counts NaN events"),
        ({"1": 1.0, "+Inf": math.inf}, "the bucket le=+Inf counts +Inf events"),
        ({"1": 1.0, "1.0": math.nan, "+Inf": 2.0}, "the bucket le=1 counts NaN events"),
        ({"1": 1.0, "1.0": -math.inf, "+Inf": 2.0}, "the bucket le=1 counts -Inf events"),
        ({"1": NativeHistogram("1"), "+Inf": 2.0}, "a bucket is a native histogram"),
        ({"1": NativeHistogram("1"), "1.0": 2.0, "+Inf": 2.0}, "a bucket is a native histogram"),
    ],
)
def test_a_histogram_that_cannot_be_read_says_why(counts: dict[str, Point], words: str):
    sample = buckets(**counts)
    assert isinstance(sample, Malformed), sample
    assert words in sample.reason


def test_a_histogram_of_the_last_bucket_alone_is_one():
    assert buckets(**{"+Inf": 3.0}) == Distribution((math.inf,), (3.0,))


@given(st.dictionaries(st.floats(0.001, 1e6), st.floats(0, 1e9), min_size=1), st.floats(0, 1e9), st.randoms())
def test_the_order_of_the_series_does_not_matter(finite: dict[float, float], total: float, random: object):
    counts = [(repr(bound), count) for bound, count in finite.items()] + [("+Inf", total)]
    random.shuffle(counts)
    bounds = (*sorted(finite), math.inf)
    assert buckets(**dict(counts)) == Distribution(bounds, tuple(finite.get(b, total) for b in bounds))


def test_series_are_grouped_by_their_other_labels_and_sorted():
    made = shape(
        LATENCY, {"le": "+Inf", "verb": "POST"}, {"le": "+Inf", "verb": "GET"}, {"verb": "GET", "le": "1"},
        {"le": "+Inf", "verb": ""},
    )  # fmt: skip
    assert made.samples([1.0, 2.0, 0.5, 4.0]) == {
        (): Distribution((math.inf,), (4.0,)),
        (("verb", "GET"),): Distribution((1.0, math.inf), (0.5, 2.0)),
        (("verb", "POST"),): Distribution((math.inf,), (1.0,)),
    }
    assert [group.labels for group in made.groups] == [(), (("verb", "GET"),), (("verb", "POST"),)]


def test_a_series_without_a_point_is_absent_as_in_an_answer_without_it():
    series = [{"le": "1", "v": "a"}, {"le": "2", "v": "a"}, {"le": "+Inf", "v": "a"}, {"le": "+Inf", "v": "b"}]
    made = shape(LATENCY, *series)
    row = [1.0, None, 3.0, None]
    alone = shape(LATENCY, series[0], series[2]).samples([1.0, 3.0])
    assert made.samples(row) == alone
    assert made.samples(row) == alone, "also from what was kept of the first time"
    assert made.samples([None] * 4) == {}
    (without_inf,) = made.samples([1.0, 2.0, None, None]).values()
    assert isinstance(without_inf, Malformed)


@pytest.mark.parametrize(
    ("part", "total", "expected"),
    [
        (1.0, 2.0, Events(1.0, 2.0)),
        (None, 2.0, Events(None, 2.0)),
        (1.0, None, Events(1.0, None)),
        (math.nan, 2.0, Malformed("the ratio's counted events are NaN")),
        (1.0, math.inf, Malformed("the ratio's total is +Inf")),
        (-1.0, 2.0, Malformed("the ratio's counted events are -1")),
        (1.0, NativeHistogram("1"), Malformed("the ratio's total is a native histogram, not a number")),
    ],
)
def test_the_sides_of_a_ratio_are_put_together(part: Point | None, total: Point | None, expected: object):
    made = shape(RATIO, {"sloagent_side": "total", "job": "a"}, {"sloagent_side": "part", "job": "a"})
    assert made.samples([total, part]) == {(("job", "a"),): expected}


def test_a_side_that_comes_twice_is_malformed():
    made = shape(RATIO, {"__name__": "x", "sloagent_side": "total"}, {"__name__": "y", "sloagent_side": "total"})
    (sample,) = made.samples([1.0, 2.0]).values()
    assert isinstance(sample, Malformed)
    made = shape(RATIO, {"sloagent_side": "elsewhere"})
    (sample,) = made.samples([1.0]).values()
    assert isinstance(sample, Malformed)


def test_a_value_keeps_its_labels_but_not_its_name():
    assert shape(VALUE, {"__name__": "m", "pod": "a", "zone": ""}).samples([3.0]) == {(("pod", "a"),): 3.0}


def test_the_shape_of_an_answer_with_the_same_series_is_used_again():
    shapes = Shapes(BOUNDS)
    series = [{"pod": "a"}, {"pod": "b"}]
    first = shapes.of(VALUE, "m", raw(*series))
    assert shapes.of(VALUE, "m", raw(*series)) is first
    other = shapes.of(VALUE, "m", raw(*reversed(series)))
    assert other is not first
    assert other.samples([2.0, 1.0]) == first.samples([1.0, 2.0])


def test_what_is_remembered_of_shapes_has_a_bound():
    shapes = Shapes(BOUNDS)
    big = raw(*({"pod": str(n)} for n in range(MOST_REMEMBERED_SERIES // 4)))
    kept = [shapes.of(VALUE, str(n), big) for n in range(5)]
    assert shapes.of(VALUE, "4", big) is kept[4]
    assert shapes.of(VALUE, "0", big) is not kept[0], "the oldest was forgotten"


def test_long_labels_are_remembered_less_long():
    shapes = Shapes(BOUNDS)
    big = raw(*({"pod": f"{n:04000}"} for n in range(MOST_REMEMBERED_SERIES // 64)))
    kept = [shapes.of(VALUE, str(n), big) for n in range(5)]
    assert shapes.of(VALUE, "4", big) is kept[4]
    assert shapes.of(VALUE, "0", big) is not kept[0], "4 MB of labels each"


def test_labels_beyond_the_bound_are_refused_by_name_and_never_cut():
    with pytest.raises(SourceError) as caught:
        shape(VALUE, {"pod": "a"}, {"pod": "a", "path\x1b": "x" * 100_000})
    assert caught.value.kind == Kind.TOO_LARGE
    assert not caught.value.retryable
    assert caught.value.message == (
        "the labels of a series have 100,030 bytes, more than 4,096 (max_labels); 2 labels, the longest is path\\x1b"
    )
    assert shape(VALUE, {"pod": "x" * 4_000}).groups
    with pytest.raises(SourceError, match="400 labels"):
        shape(VALUE, {f"label{n}": "value" for n in range(400)})


def test_series_beyond_the_bound_are_refused_and_not_remembered():
    shapes = Shapes(Bounds(series=2, buckets=20, labels_bytes=4_096))
    with pytest.raises(SourceError, match=r"3 series, more than 2 \(max_series\)"):
        shapes.of(VALUE, "m", raw(*({"pod": str(n)} for n in range(3))))
    assert not shapes._kept


def test_a_histogram_of_too_many_buckets_is_malformed_and_its_neighbour_is_not():
    many = [{"pod": "a", "le": str(n)} for n in range(100)] + [{"pod": "a", "le": "+Inf"}]
    found = shape(LATENCY, *many, {"pod": "b", "le": "+Inf"}).samples([1.0] * 102)
    assert found[(("pod", "a"),)] == Malformed("the histogram has 101 buckets, more than 100 (max_buckets)")
    assert found[(("pod", "b"),)] == Distribution((math.inf,), (1.0,))
    buckets = [(0, str(n), str(n + 1), "1") for n in range(101)]
    native = shape(LatencySLI(("a",), "", (), native=True), {}).samples([NativeHistogram("101", buckets)])
    assert native[()] == Malformed("the histogram has 101 buckets, more than 100 (max_buckets)")


def test_a_bound_of_a_bucket_that_is_none_is_repeated_only_in_part():
    (found,) = shape(LATENCY, {"le": "x" * 3_000}).samples([1.0]).values()
    assert isinstance(found, Malformed)
    assert len(found.reason) < 100
