"""From an answer's series to samples: which of them belong together, worked out once and used again each time.

An answer to the same question has the same series tick after tick, in the same order. Its shape (the labels, which
buckets make one histogram, their bounds in order) is kept, so that a tick only moves numbers.
"""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from operator import itemgetter

import msgspec

from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events, Malformed, Sample
from sloagent.model.slo import SLI, Labels, LatencySLI, RatioSLI
from sloagent.sources import envelope, native
from sloagent.sources.bounds import Bounds
from sloagent.sources.envelope import NativeHistogram, Point
from sloagent.sources.promql import PART, SIDE_LABEL, TOTAL

MOST_REMEMBERED_SERIES = 65_536
USUAL_SERIES_BYTES = 256
MOST_REMEMBERED_PARTS = 4_096
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:[iI]nf|INF)(?:inity)?")

Row = Sequence[Point | None]
"""One time's points, by position in the answer; None where a series has none."""
Read = Callable[[Row], Sample]


@dataclass(frozen=True, slots=True)
class Member:
    """One series of an answer within its group: where it stands, and what tells it from the others (`le`, a side)."""

    position: int
    mark: str


@dataclass(frozen=True, slots=True)
class Group:
    """The series of an answer that are one series of the SLI."""

    labels: Labels
    members: tuple[Member, ...]
    read: Read
    """The sample, of a row in which every member has a point."""


@dataclass(slots=True)
class Shape:
    """What the series of an answer amount to; groups by labels, ascending."""

    metrics: list[msgspec.Raw]
    groups: tuple[Group, ...]
    join: Callable[[Sequence[Member]], Read]
    _parts: dict[tuple[int, ...], Read] = field(default_factory=dict)

    def samples(self, row: Row) -> dict[Labels, Sample]:
        """The samples of one time. A group without any point is absent, as it would be in an answer for that time."""
        if None not in row:
            return {group.labels: group.read(row) for group in self.groups}
        return dict(self._present(row))

    def _present(self, row: Row) -> Iterator[tuple[Labels, Sample]]:
        for group in self.groups:
            present = [member for member in group.members if row[member.position] is not None]
            if len(present) == len(group.members):
                yield group.labels, group.read(row)
            elif present:
                key = tuple(member.position for member in present)
                if key not in self._parts:
                    if len(self._parts) >= MOST_REMEMBERED_PARTS:
                        self._parts.clear()
                    self._parts[key] = self.join(present)
                yield group.labels, self._parts[key](row)


class Shapes:
    """The shapes of recent instant answers by question, the least recently used forgotten first. Thread-safe."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._kept: OrderedDict[str, Shape] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def of(self, sli: SLI, query: str, metrics: list[msgspec.Raw]) -> Shape:
        """The shape of an answer with these series. Raises SourceError where it is beyond a bound or cannot be read."""
        with self._lock:
            kept = self._kept.get(query)
            if kept is not None and kept.metrics == metrics:
                self._kept.move_to_end(query)
                return kept
        # Copies, because each of these is a view that would keep the whole answer in memory.
        made = shape_of(sli, [metric.copy() for metric in metrics], self._bounds)
        self._bounds.check_series(len(made.groups))
        with self._lock:
            old = self._kept.pop(query, None)
            self._weight += _weight(made) - (_weight(old) if old is not None else 0)
            self._kept[query] = made
            while self._weight > MOST_REMEMBERED_SERIES and len(self._kept) > 1:
                self._weight -= _weight(self._kept.popitem(last=False)[1])
        return made


def _weight(shape: Shape) -> int:
    """How many usual series a shape is worth; one with long labels is worth several."""
    return len(shape.metrics) + sum(map(len, shape.metrics)) // USUAL_SERIES_BYTES


def shape_of(sli: SLI, metrics: list[msgspec.Raw], bounds: Bounds) -> Shape:
    """Which series of an answer belong together for this kind of SLI. Raises SourceError where labels are too long."""
    bounds.check_labels(metrics)
    join: Callable[[Sequence[Member]], Read]
    match sli:
        case LatencySLI(native=False):
            mark_label, join = "le", partial(_classic, bounds)
        case RatioSLI():
            mark_label, join = SIDE_LABEL, _events
        case LatencySLI():
            mark_label, join = "", partial(_native, bounds)
        case _:
            mark_label, join = "", _value
    grouped: dict[Labels, list[Member]] = {}
    for position, metric in enumerate(metrics):
        found = envelope.labels(metric)
        mark = found.pop(mark_label, "")
        grouped.setdefault(tuple(sorted(found.items())), []).append(Member(position, mark))
    groups = (Group(labels, tuple(grouped[labels]), join(grouped[labels])) for labels in sorted(grouped))
    return Shape(metrics, tuple(groups), join)


def _classic(limits: Bounds, members: Sequence[Member]) -> Read:
    """Buckets of a classic histogram. Equal bounds (`1`, `1.0`) are one, their counts added, as Prometheus does."""
    if (too_many := limits.too_many_buckets(len(members))) is not None:
        return _always(too_many)
    by_bound: dict[float, list[int]] = {}
    for member in members:
        bound = _bound(member.mark)
        if bound is None:
            shown = f'le="{member.mark[:40]}" is not a bound' if member.mark else "it has a series without the label le"
            return _always(Malformed(f"the histogram cannot be read: {shown}"))
        by_bound.setdefault(bound, []).append(member.position)
    bounds = tuple(sorted(by_bound))
    if bounds[-1] != math.inf:
        return _always(Malformed('the histogram has no bucket le="+Inf", so nobody knows how many events there were'))
    positions = [by_bound[bound] for bound in bounds]
    if all(len(same) == 1 for same in positions) and len(bounds) > 1:
        pick = itemgetter(*(same[0] for same in positions))
        return lambda row: _distribution(bounds, pick(row))
    return lambda row: _distribution(bounds, tuple(_added([row[p] for p in same]) for same in positions))


@lru_cache(maxsize=4_096)
def _bound(mark: str) -> float | None:
    """The bound that a label `le` states, None where it states none."""
    bound = float(mark) if _NUMBER.fullmatch(mark) else -math.inf
    return None if bound == -math.inf else bound


def _added(points: Sequence[Point | None]) -> Point | None:
    numbers = [p for p in points if isinstance(p, float)]
    if len(numbers) < len(points):
        return None
    # A negative one is no count, and must not vanish in the sum. In ascending order, so that of the answer does not matter.
    return least if (least := min(numbers)) < 0 else sum(sorted(numbers))


def _distribution(bounds: tuple[float, ...], counts: tuple[Point | None, ...]) -> Sample:
    try:
        # A sum is finite only if every summand is: one look instead of one per bucket.
        if min(counts) >= 0.0 and math.isfinite(sum(counts)):  # type: ignore[type-var, operator, arg-type]
            return Distribution(bounds, counts)  # type: ignore[arg-type]
    except TypeError:
        return Malformed("the histogram cannot be read: a bucket is a native histogram, not a count")
    for bound, count in zip(bounds, counts, strict=True):
        if not 0.0 <= count < math.inf:  # type: ignore[operator]
            return Malformed(f"the bucket le={_shown(bound)} counts {_shown(count)} events")  # type: ignore[arg-type]
    return Malformed("the counts of the buckets are too large to add")


def _native(limits: Bounds, members: Sequence[Member]) -> Read:
    if len(members) > 1:
        return _always(_SAME_LABELS)
    position = members[0].position

    def read(row: Row) -> Sample:
        point = row[position]
        if isinstance(point, NativeHistogram):
            return limits.too_many_buckets(len(point.buckets)) or native.distribution(point)
        return Malformed("the series is a number, not a native histogram; for a classic one leave `type: native` out")

    return read


def _events(members: Sequence[Member]) -> Read:
    sides: dict[str, int] = {}
    for member in members:
        if member.mark not in (PART, TOTAL):
            return _always(Malformed("the answer has a series that belongs to neither side of the ratio"))
        if member.mark in sides:
            return _always(_SAME_LABELS)
        sides[member.mark] = member.position

    def read(row: Row) -> Sample:
        part, total = (row[sides[side]] if side in sides else None for side in (PART, TOTAL))
        for what, count in (("counted events are", part), ("total is", total)):
            if isinstance(count, NativeHistogram):
                return Malformed(f"the ratio's {what} a native histogram, not a number")
            if count is not None and not 0.0 <= count < math.inf:
                return Malformed(f"the ratio's {what} {_shown(count)}")
        return Events(part, total)  # type: ignore[arg-type]

    return read


def _value(members: Sequence[Member]) -> Read:
    if len(members) > 1:
        return _always(_SAME_LABELS)
    position = members[0].position

    def read(row: Row) -> Sample:
        point = row[position]
        return point if isinstance(point, float) else Malformed("the series is a native histogram, not a number")

    return read


_SAME_LABELS = Malformed(
    "several series have the same labels once the metric name is left out; aggregate them in the query"
)


def _always(sample: Sample) -> Read:
    return lambda _row: sample


def _shown(number: float) -> str:
    return {math.inf: "+Inf", -math.inf: "-Inf"}.get(number, "NaN" if math.isnan(number) else f"{number:g}")
