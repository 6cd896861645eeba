"""What the page's script draws a chart from, as JSON that may stand in a page: exact values in few bytes."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import gcd, nan
from typing import Any

from sloagent.evaluation import wording
from sloagent.model.verdict import Outcome, Quantile
from sloagent.report.charts.chart import Chart, ChartLine, Kind, Point
from sloagent.report.charts.drawing import Drawing, limit_text
from sloagent.report.charts.frame import FAR, HEADROOM
from sloagent.report.charts.layers import Json, Row
from sloagent.report.charts.naming import shown
from sloagent.report.charts.rows import Mark
from sloagent.report.locale import LANGUAGES
from sloagent.report.words import Words

Bucket = tuple[float, float, bool]
"""Its bounds, and whether it is that of a lower bound."""

_OUTCOMES = {outcome: place for place, outcome in enumerate(Outcome)}
_NOUGHT = ord("0")
_WORDS = ("chart_reset", "chart_together", "chart_hint", "chart_switch", "chart_exactly")


def page_data(drawing: Drawing, vega: Mapping[str, Any], rows: Mapping[str, list[Row]], words: Words) -> str:
    """The JSON of a chart. `vega` has no rows; `rows` are those of every data set but the points'."""
    chart, frame = drawing.chart, drawing.frame
    buckets = _buckets(chart)
    content: dict[str, Any] = {
        "spec": vega,
        "rows": {name: _columns(found) for name, found in rows.items()},
        "start": chart.start * 1000,
        "end": chart.end * 1000,
        "step": chart.step * 1000,
        "stacked": chart.kind is Kind.STACKED,
        "good": chart.share_of_good,
        "top": frame.top,
        "far": FAR,
        "headroom": HEADROOM,
        "digits": 6 if chart.share_of_good else 4,
        "factor": frame.factor,
        "unit": frame.unit,
        "base": chart.unit,
        "buckets": [
            wording.bucket(Quantile(0.0, lower, upper), chart.unit, words.language, lower_bound=bounded)
            for lower, upper, bounded in buckets
        ],
        "lines": [
            _line(line, marks, buckets, reach, chart, words)
            for line, marks, reach in zip(chart.lines, drawing.marks, frame.reach, strict=True)
        ],
        "phases": [[s.start * 1000, s.end * 1000, shown(f"{n} {s.name}")] for n, s in enumerate(chart.phases, 1)],
        "exclusions": [
            [s.start * 1000, s.end * 1000, words.say("chart_excluded", reason=shown(s.name))] for s in chart.exclusions
        ],
        "restarts": [[r.at * 1000, words.say("chart_restarted", component=shown(r.component))] for r in chart.restarts],
        "outcomes": [[outcome.value.replace("_", "-"), words.say(outcome.value)] for outcome in Outcome],
        "words": {key.removeprefix("chart_"): LANGUAGES[words.language][key] for key in _WORDS},
    }
    return for_page(content)


def for_page(content: Mapping[str, Any]) -> str:
    """JSON in which nothing can end the element that it stands in."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _buckets(chart: Chart) -> list[Bucket]:
    """The buckets that occur, ascending."""
    found = {bucket for line in chart.lines for point in line.points if (bucket := _bucket(point)) is not None}
    return sorted(bucket for bucket in found if bucket[0] != bucket[1])


def _bucket(point: Point) -> Bucket | None:
    return None if (q := point.bucket) is None else (q.lower, q.upper, point.lower_bound)


def _line(
    line: ChartLine,
    marks: Sequence[Mark],
    buckets: Sequence[Bucket],
    reach: float,
    chart: Chart,
    words: Words,
) -> dict[str, Any]:
    places: dict[Bucket | None, int] = {bucket: place for place, bucket in enumerate(buckets, 1)}
    values = [nan if mark.point.value is None else mark.point.value for mark in marks]
    bounds = [places.get(_bucket(mark.point), 0) for mark in marks]
    found: dict[str, Any] = {
        "name": shown(line.name),
        "reach": reach,
        "limits": [limit_text(limit, chart.unit, words) for limit in line.limits],
        "at": _times([mark.point.slot for mark in marks]),
        "values": _packed(values),
        "flags": _letters([mark.begins + 2 * mark.alone + 4 * (mark.point.drawn is not None) for mark in marks]),
        "outcomes": _letters([_OUTCOMES[mark.point.outcome] for mark in marks]),
    }
    return found | ({"inside": _letters(bounds)} if any(bounds) else {})


def _columns(rows: Sequence[Row]) -> dict[str, Json]:
    """Rows of one shape with their keys said once."""
    keys = list(rows[0]) if rows else []
    return {"keys": keys, "rows": [[row[key] for key in keys] for row in rows]}


def _times(slots: Sequence[int]) -> list[Json]:
    """[first, unit, steps]: seconds, and the units from each slot to the next; their number where all are one unit."""
    steps = [later - earlier for earlier, later in pairwise(slots)]
    unit = gcd(*steps) or 1
    counted: list[Json] = [step // unit for step in steps]
    return [slots[0] if slots else 0, unit, len(slots) if all(step == unit for step in steps) else counted]


def _letters(places: Sequence[int]) -> str:
    """Small numbers as one character each; as a single one where all are the same."""
    text = "".join(chr(_NOUGHT + place) for place in places)
    return text[:1] if len(set(places)) == 1 else text


def _packed(numbers: Sequence[float]) -> str:
    """Little-endian doubles as base64: each exactly, in half the bytes of its decimals."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode()
