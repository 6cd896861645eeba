"""Prometheus's answer read a second time, by plain json and fractions: what a verdict may say of it.

Written from docs/evaluation.md alone and not from the code it watches. It is a little wider than the judge by MARGIN, so
that the last bit of a float decides nothing, and else as strict: whatever it cannot read must not pass.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sloagent.model.slo import SLO, LatencySLI, Limit, RatioSLI, ValueSLI

SLACK = Fraction(1, 10**9)
"""Of the total: what the judge itself allows (docs/evaluation.md)."""
MARGIN = Fraction(1, 10**12)
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:[+-]?inf(?:inity)?|[+-]?nan)")
INFO = "PromQL info:"


@dataclass(frozen=True, slots=True)
class May:
    """What a verdict may say: of one series, or of a slot."""

    keep: bool = False
    """pass or warn"""
    stay_calm: bool = False
    """pass"""
    fail: bool = False
    idle: bool = False
    """say nothing that counts: no events, too few of them, no number"""


def of_slot(slo: SLO, body: bytes) -> May:
    """What the verdict of the slot may be."""
    series = series_of(slo, body)
    if series is None:
        return May()
    each = [_of_series(slo, labels, points) for labels, points in series]
    return May(
        keep=any(m.keep for m in each) and all(m.keep or m.idle for m in each),
        stay_calm=any(m.stay_calm for m in each) and all(m.stay_calm or m.idle for m in each),
        fail=any(m.fail for m in each),
    )


Labels = dict[str, str]
Points = list[tuple[str, object]]
"""(`le` or the side, a number as text or a native histogram) of each series that is part of one series of the SLI."""


def series_of(slo: SLO, body: bytes) -> list[tuple[Labels, Points]] | None:
    """The series of the answer, those together that differ in `le` or the side alone; None where it is no answer."""
    try:
        document = json.loads(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("status") != "success":
        return None
    warnings = document.get("warnings") or []
    if not isinstance(warnings, list):
        return None
    if not slo.allow_partial and any(not str(w).startswith(INFO) for w in warnings):
        return None
    data = document.get("data")
    if not isinstance(data, dict):
        return None
    found = data.get("result")
    if data.get("resultType") == "scalar" and isinstance(found, list) and len(found) == 2:
        return [({}, [("", found[1])])]
    if data.get("resultType") != "vector" or not isinstance(found, list):
        return None
    mark = "le" if isinstance(slo.sli, LatencySLI) and not slo.sli.native else "sloagent_side"
    mark = "" if isinstance(slo.sli, ValueSLI) or (isinstance(slo.sli, LatencySLI) and slo.sli.native) else mark
    grouped: dict[tuple[tuple[str, str], ...], Points] = {}
    for one in found:
        if not isinstance(one, dict) or not isinstance(one.get("metric"), dict):
            return None
        labels = {k: v for k, v in one["metric"].items() if v != "" and k != "__name__"}
        point = one.get("value") if one.get("value") is not None else one.get("histogram")
        if not (isinstance(point, list) and len(point) == 2 and all(isinstance(v, str) for v in labels.values())):
            return None
        key = labels.pop(mark, "") if mark else ""
        grouped.setdefault(tuple(sorted(labels.items())), []).append((key, point[1]))
    return [(dict(labels), points) for labels, points in grouped.items()]


def _of_series(slo: SLO, labels: Labels, points: Points) -> May:
    limit = _limit(slo, labels)
    match slo.sli:
        case ValueSLI():
            return _value(limit, points)
        case RatioSLI():
            return _ratio(slo, slo.sli, limit, points)
        case LatencySLI(native=True):
            shares = _native(points, limit)
        case _:
            shares = _classic(points, limit)
    if shares is None or limit is None or slo.objective is None or slo.objective.percentile is None:
        return May(idle=limit is None)
    if not shares.most:
        return May(idle=True)
    promised = Fraction(slo.objective.percentile) / 100
    few = shares.total * slo.window < Fraction(slo.min_events) * (1 + MARGIN)
    enough = shares.total * slo.window >= Fraction(slo.min_events) * (1 - MARGIN)
    kept = enough and shares.at_most >= promised - SLACK - MARGIN
    calm = kept and shares.below_warning >= promised - SLACK - MARGIN
    return May(keep=kept, stay_calm=calm, fail=enough and shares.at_least < promised - SLACK + MARGIN, idle=few)


@dataclass(frozen=True, slots=True)
class _Shares:
    """The share of events within the limit: proven (`at_most` is kept) and possible, and within the warn level."""

    most: Fraction
    """The greatest count; 0: there are no events."""
    total: Fraction
    at_most: Fraction
    at_least: Fraction
    below_warning: Fraction


def _classic(points: Points, limit: Limit | None) -> _Shares | None:
    counts: dict[float, Fraction] = {}
    for mark, point in points:
        count = number(point)
        if not (NUMBER.fullmatch(mark) and count is not None and 0 <= count < math.inf):
            return None
        bound = float(mark)
        if math.isnan(bound) or bound == -math.inf:
            return None
        counts[bound] = counts.get(bound, Fraction(0)) + Fraction(count)
    if math.inf not in counts or limit is None or limit.at_most is None:
        return None
    return _shares(sorted(counts.items()), limit)


def _native(points: Points, limit: Limit | None) -> _Shares | None:
    if len(points) != 1 or not isinstance(points[0][1], dict):
        return None
    histogram = points[0][1]
    total = number(histogram.get("count"))
    buckets = histogram.get("buckets", [])
    if total is None or not 0 <= total < math.inf or not isinstance(buckets, list):
        return None
    edges: list[tuple[float, Fraction]] = []
    seen, last = Fraction(0), -math.inf
    for bucket in buckets:
        if not (isinstance(bucket, list) and len(bucket) == 4):
            return None
        lower, upper, count = (number(part) for part in bucket[1:])
        if lower is None or upper is None or count is None or not lower < upper or not 0 <= count < math.inf:
            return None
        if lower < last and edges:
            return None
        if lower > last or not edges:
            edges.append((lower, seen))
        seen, last = seen + Fraction(count), upper
        edges.append((upper, seen))
    if limit is None or limit.at_most is None:
        return None
    whole = Fraction(total)
    whole = seen if abs(whole - seen) <= SLACK * whole else whole
    edges = [edge for edge in edges if edge[0] != math.inf]
    return _shares([*edges, (math.inf, whole)], limit)


def _shares(cumulative: list[tuple[float, Fraction]], limit: Limit) -> _Shares:
    """Counts by bound, ascending by bound and ending with infinity; the counts may fall."""
    assert limit.at_most is not None
    every = [count for _, count in cumulative]
    total, most = every[-1], max(every)
    if not most:
        return _Shares(most, total, total, total, total)

    def proven(level: float) -> Fraction:
        below = [i for i, (bound, _) in enumerate(cumulative) if bound <= level]
        return min(every[below[-1] :]) / most if below else Fraction(0)

    within = next(i for i, (bound, _) in enumerate(cumulative) if bound >= limit.at_most)
    reached = max(every[: within + 1])
    possible = reached / max(total, reached) if reached else Fraction(0)
    warning = proven(limit.at_most if limit.warn_at is None else limit.warn_at)
    return _Shares(most, total, proven(limit.at_most), possible, warning)


def _ratio(slo: SLO, sli: RatioSLI, limit: Limit | None, points: Points) -> May:
    sides: dict[str, Fraction] = {}
    for mark, point in points:
        count = number(point)
        if mark not in ("part", "total") or mark in sides or count is None or not 0 <= count < math.inf:
            return May()
        sides[mark] = Fraction(count)
    total, part = sides.get("total"), sides.get("part")
    if total is None or (part is not None and part > total * (1 + SLACK + MARGIN)):
        return May()
    if not total or (part is None and sli.counts == "bad" and not sli.bad_absent_is_zero):
        return May(idle=True)
    if limit is None or limit.at_least is None:
        return May(idle=True)
    counted = min(part or Fraction(0), total)
    good = (counted if sli.counts == "good" else total - counted) / total
    few = total * slo.window < Fraction(slo.min_events) * (1 + MARGIN)
    enough = total * slo.window >= Fraction(slo.min_events) * (1 - MARGIN)
    return May(
        keep=enough and good >= Fraction(limit.at_least) - SLACK - MARGIN,
        stay_calm=enough
        and good >= Fraction(limit.at_least if limit.warn_at is None else limit.warn_at) - SLACK - MARGIN,
        fail=enough and good < Fraction(limit.at_least) - SLACK + MARGIN,
        idle=few,
    )


def _value(limit: Limit | None, points: Points) -> May:
    value = number(points[0][1]) if len(points) == 1 else None
    if value is None:
        return May()
    if math.isnan(value) or limit is None:
        return May(idle=True)
    if limit.at_most is not None:
        kept, calm = value <= limit.at_most, limit.warn_at is None or value <= limit.warn_at
    elif limit.at_least is not None:
        kept, calm = value >= limit.at_least, limit.warn_at is None or value >= limit.warn_at
    else:
        return May(idle=True)
    return May(keep=kept, stay_calm=kept and calm, fail=not kept)


def number(point: object) -> float | None:
    """The number that Prometheus wrote, always as text; None where it is none."""
    if isinstance(point, bool) or not isinstance(point, str | int | float):
        return None
    return float(point) if NUMBER.fullmatch(str(point)) else None


def _limit(slo: SLO, labels: Labels) -> Limit | None:
    if slo.objective is None:
        return None
    for override in slo.objective.overrides:
        if all(labels.get(name, "") == value for name, value in override.match):
            return override.limit
    return slo.objective.limit


def times_of(body: bytes) -> list[float]:
    """The times of which a range answer speaks; without those that are no numbers, which no judge may take either."""
    try:
        rows = json.loads(body)["data"]["result"]
        points = [point for row in rows for kind in ("values", "histograms") for point in row.get(kind, ())]
        return [round(float(point[0]), 3) for point in points]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
        return []


def slots_of(body: bytes, times: list[int]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Range answers over `times` that say of each of them what `body`, an instant one, says; with the instant ones.

    In the first time every series has its point, in the second every other one, in the third the rest.
    """
    try:
        document = json.loads(body)
        found = document["data"]["result"]
        if document["data"]["resultType"] != "vector" or document["status"] != "success":
            return
        kept = [
            [True for _ in found],
            [i % 2 == 0 for i, _ in enumerate(found)],
            [i % 2 == 1 for i, _ in enumerate(found)],
        ]
        rows = []
        for index, one in enumerate(found):
            here = [at for k, at in enumerate(times) if kept[k % 3][index]]
            row = {"metric": one["metric"]}
            (kind,) = {"value", "histogram"} & set(one)
            at, point = one[kind]
            if not isinstance(at, int) or isinstance(at, bool):
                return
            row[f"{kind}s"] = [[at, point] for at in here]
            if here:
                rows.append(row)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError):
        return
    instants = [
        json.dumps({**document, "data": {"resultType": "vector", "result": [
            one for index, one in enumerate(found) if kept[k % 3][index]
        ]}}).encode()
        for k, _ in enumerate(times)
    ]  # fmt: skip
    yield json.dumps({**document, "data": {"resultType": "matrix", "result": rows}}).encode(), instants
