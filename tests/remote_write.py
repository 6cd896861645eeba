"""A tiny remote-write client: floats and native histograms into the head of a real Prometheus."""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Native:
    """A native histogram with integer counts: positive buckets by index at `schema`, and a zero bucket."""

    schema: int
    buckets: Mapping[int, int]
    """Bucket i holds (b^(i-1), b^i] with b = 2^(2^-schema)."""
    zero_count: int = 0
    zero_threshold: float = 1e-128
    sum: float = 0.0
    negative: Mapping[int, int] | None = None


Sample = tuple[int, float | Native]
"""Milliseconds since the epoch, and the value."""


def write(url: str, series: Sequence[tuple[Mapping[str, str], Sequence[Sample]]]) -> None:
    """Send the series; raises urllib.error.HTTPError where Prometheus refuses them."""
    body = b"".join(_message(1, _series(labels, samples)) for labels, samples in series)
    request = urllib.request.Request(
        f"{url}/api/v1/write", data=_snappy(body),
        headers={"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
                 "X-Prometheus-Remote-Write-Version": "0.1.0"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30):
        pass


def _series(labels: Mapping[str, str], samples: Sequence[Sample]) -> bytes:
    out = b"".join(
        _message(1, _message(1, name.encode()) + _message(2, labels[name].encode())) for name in sorted(labels)
    )
    for at, value in samples:
        if isinstance(value, Native):
            out += _message(4, _native(value, at))
        else:
            out += _message(2, _double(1, value) + _varint_field(2, at))
    return out


def _native(histogram: Native, at: int) -> bytes:
    count = sum(histogram.buckets.values()) + histogram.zero_count + sum((histogram.negative or {}).values())
    out = _varint_field(1, count) + _double(3, histogram.sum) + _varint_field(4, _zigzag(histogram.schema))
    out += _double(5, histogram.zero_threshold) + _varint_field(6, histogram.zero_count)
    if histogram.negative:
        out += _spans(8, 9, histogram.negative)
    return out + _spans(11, 12, histogram.buckets) + _varint_field(15, at)


def _spans(span_field: int, delta_field: int, buckets: Mapping[int, int]) -> bytes:
    spans: list[list[int]] = []
    deltas = b""
    end, before = 0, 0
    for index in sorted(buckets):
        if spans and index == end:
            spans[-1][1] += 1
        else:
            spans.append([index - end if spans else index, 1])
        end = index + 1
        deltas += _varint(_zigzag(buckets[index] - before))
        before = buckets[index]
    out = b"".join(_message(span_field, _varint_field(1, _zigzag(o)) + _varint_field(2, n)) for o, n in spans)
    return out + (_message(delta_field, deltas) if deltas else b"")


def _snappy(data: bytes) -> bytes:
    """The block format with literals alone: valid, only not smaller."""
    out = [_varint(len(data))]
    for start in range(0, len(data), 65_536):
        literal = data[start : start + 65_536]
        out += [bytes([61 << 2]), (len(literal) - 1).to_bytes(2, "little"), literal]
    return b"".join(out)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint_field(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
