"""Prometheus's JSON, decoded straight to typed structs: the series' labels stay bytes until somebody needs them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec

from sloagent.errors import SourceError
from sloagent.model.samples import Kind
from sloagent.peer.failures import words
from sloagent.sources import failures

_NEVER_WRITTEN = re.compile(r"[^0-9A-Za-z.+-]")
"""Underscores, spaces and the digits of other scripts, which Python's float accepts."""
LATEST = 1e12
"""Seconds since the epoch: beyond it nothing is a time, and no rounding of it is exact."""


class NativeHistogram(msgspec.Struct, gc=False):
    """A native histogram as the API writes it: non-empty buckets `[boundary rule, lower, upper, count]`, ascending."""

    count: str
    buckets: list[tuple[int, str, str, str]] = msgspec.field(default_factory=list)


Point = float | NativeHistogram
"""What one series says at one time."""


class _Number(msgspec.Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    at: float
    value: float


class _Text(msgspec.Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    at: float
    value: str


class _Histogram(msgspec.Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    at: float
    value: NativeHistogram


class _VectorSample(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    value: _Number


class _AnySample(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    value: _Text | None = None
    histogram: _Histogram | None = None


class _AnyStretch(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    values: list[_Text] = msgspec.field(default_factory=list)
    histograms: list[_Histogram] = msgspec.field(default_factory=list)


class _FastStretch(msgspec.Struct, gc=False, forbid_unknown_fields=True):  # it may have native histograms too
    metric: msgspec.Raw
    values: list[_Number]


class _FastVector(msgspec.Struct, gc=False):
    resultType: Literal["vector"]  # noqa: N815 - as on the wire; a tag may be missing where there is no choice
    result: list[_VectorSample]


class _Vector(msgspec.Struct, tag_field="resultType", tag="vector", gc=False):
    result: list[_AnySample]


class _Scalar(msgspec.Struct, tag_field="resultType", tag="scalar", gc=False):
    result: _Text


class _String(msgspec.Struct, tag_field="resultType", tag="string", gc=False):
    result: _Text


class _FastMatrix(msgspec.Struct, gc=False):
    resultType: Literal["matrix"]  # noqa: N815
    result: list[_FastStretch]


class _Matrix(msgspec.Struct, tag_field="resultType", tag="matrix", gc=False):
    result: list[_AnyStretch]


class _OnlyMatrix(msgspec.Struct, gc=False):
    resultType: Literal["matrix"]  # noqa: N815
    result: list[_AnyStretch]


class _Document(msgspec.Struct, gc=False):
    status: str
    warnings: list[str] | None = None


class _FastInstant(_Document, gc=False, kw_only=True):
    data: _FastVector


class _Instant(_Document, gc=False, kw_only=True):
    data: _Vector | _Scalar | _String | _Matrix


class _FastRange(_Document, gc=False, kw_only=True):
    data: _FastMatrix


class _Range(_Document, gc=False, kw_only=True):
    data: _OnlyMatrix


class _List(_Document, gc=False, kw_only=True):
    data: list[str] | None


class _BuildInfo(msgspec.Struct):
    version: str = ""


class _Build(_Document, gc=False, kw_only=True):
    data: _BuildInfo


_Known = TypeVar("_Known", bound=_Document)

_fast_instant = msgspec.json.Decoder(_FastInstant, strict=False)
_instant = msgspec.json.Decoder(_Instant)
_fast_range = msgspec.json.Decoder(_FastRange, strict=False)
_range = msgspec.json.Decoder(_Range)
_list = msgspec.json.Decoder(_List)
_build = msgspec.json.Decoder(_Build)
_labels = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Vector:
    """Series at one time: `points[i]` belongs to `metrics[i]`, the series' labels in JSON."""

    metrics: list[msgspec.Raw]
    points: Sequence[Point]
    warnings: tuple[str, ...] = ()
    oddity: str = ""
    """What the answer is instead of a vector, where no series can be read from it."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Series over time: `points[i][k]` belongs to `metrics[i]` at step k; None where the series has no point."""

    metrics: list[msgspec.Raw]
    points: list[list[Point | None]]
    warnings: tuple[str, ...] = ()


def instant(body: bytes) -> Vector:
    """The answer of /api/v1/query. A scalar is one series without labels. Raises SourceError (protocol)."""
    try:
        # Nearly every answer is plain floats; only `+Inf` and native histograms need the longer way.
        fast = _fast_instant.decode(body)
    except msgspec.ValidationError:
        return _slow_instant(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise failures.not_an_answer(body) from None
    _check_status(fast, body)
    result = fast.data.result
    return Vector([s.metric for s in result], [s.value.value for s in result], failures.warnings(fast.warnings))


def _slow_instant(body: bytes) -> Vector:
    document = _decode(_instant, body)
    warnings = failures.warnings(document.warnings)
    match document.data:
        case _Vector(result=samples):
            points = [_point(s.value, s.histogram, body) for s in samples]
            return Vector([s.metric for s in samples], points, warnings)
        case _Scalar(result=single):
            return Vector([msgspec.Raw(b"{}")], [_float(single.value, body)], warnings)
        case _String():
            return Vector([], [], warnings, oddity="the query gives a string, not a number")
        case _Matrix():
            return Vector([], [], warnings, oddity="the query gives a range of samples, not one number per series")


def stretch(body: bytes, first: int, step: int, steps: int) -> Matrix:
    """The answer of /api/v1/query_range over `steps` times from `first` on. Raises SourceError (protocol)."""
    metrics: list[msgspec.Raw] = []
    points: list[list[Point | None]] = []
    times = [first + step * k for k in range(steps)]
    try:
        document: _FastRange | _Range = _fast_range.decode(body)
    except msgspec.ValidationError:
        document = _decode(_range, body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise failures.not_an_answer(body) from None
    _check_status(document, body)
    for series in document.data.result:
        if isinstance(series, _FastStretch) and [number.at for number in series.values] == times:
            points.append([number.value for number in series.values])
        elif isinstance(series, _FastStretch):
            points.append(_row(series.values, first, step, steps))
        else:
            row: list[Point | None] = [None] * steps
            for text in series.values:
                row[_step_of(text.at, first, step, steps)] = _float(text.value, body)
            for histogram in series.histograms:
                row[_step_of(histogram.at, first, step, steps)] = histogram.value
            points.append(row)
        metrics.append(series.metric)
    return Matrix(metrics, points, failures.warnings(document.warnings))


def _row(values: list[_Number], first: int, step: int, steps: int) -> list[Point | None]:
    row: list[Point | None] = [None] * steps
    for number in values:
        row[_step_of(number.at, first, step, steps)] = number.value
    return row


def names(body: bytes) -> tuple[list[str], tuple[str, ...]]:
    """A list of label values, and the warnings that came with it. Raises SourceError (protocol)."""
    document = _decode(_list, body)
    return document.data or [], failures.warnings(document.warnings)


def version(body: bytes) -> str:
    """The version in /api/v1/status/buildinfo. Raises SourceError (protocol)."""
    return words(_decode(_build, body).data.version.encode())


def labels(metric: msgspec.Raw) -> dict[str, str]:
    """A series' labels, without empty ones and without its name. Raises SourceError (protocol)."""
    found = named_labels(metric)
    found.pop("__name__", None)
    return found


def named_labels(metric: msgspec.Raw) -> dict[str, str]:
    """The same with its name, as `__name__`. Raises SourceError (protocol)."""
    try:
        found = _labels.decode(bytes(metric))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise failures.not_an_answer(bytes(metric)) from None
    return {name: value for name, value in found.items() if value} if "" in found.values() else found


def _decode(decoder: msgspec.json.Decoder[_Known], body: bytes) -> _Known:
    try:
        document = decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise failures.not_an_answer(body) from None
    _check_status(document, body)
    return document


def _check_status(document: _Document, body: bytes) -> None:
    if document.status != "success":
        raise failures.not_an_answer(body)


def _point(value: _Text | None, histogram: _Histogram | None, body: bytes) -> Point:
    if value is not None:
        return _float(value.value, body)
    if histogram is not None:
        return histogram.value
    raise failures.not_an_answer(body)


def number(text: str) -> float:
    """The number that Prometheus wrote. Raises ValueError for all else, also for what only Python takes for one."""
    if _NEVER_WRITTEN.search(text):
        raise ValueError(f"{text!r} is no number")
    # The sum has no negative zero, as on the fast way: the same answer gives the same verdict, bit for bit.
    return float(text) + 0.0


def _float(text: str, body: bytes) -> float:
    try:
        return number(text)
    except ValueError:
        raise failures.not_an_answer(body) from None


def _step_of(at: float, first: int, step: int, steps: int) -> int:
    index, rest = divmod(round((at - first) * 1000), step * 1000) if abs(at) < LATEST else (0, 1)
    if rest or not 0 <= index < steps:
        raise SourceError(
            f"answered for the time {at:.14g}, which was not asked for", kind=Kind.PROTOCOL, retryable=True
        )
    return index
