"""A verdict as a table's row and back; a distribution or a pair of events as a blob and back."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted
from sloagent.model.samples import Events
from sloagent.model.slo import Labels
from sloagent.model.verdict import Quantile, Share, Verdict
from sloagent.store import compact
from sloagent.store.dictionary import Names
from sloagent.store.sql import Connection

VerdictRow = tuple[
    int, int, int, float | None, float | None, bytes | None, float | None, float | None, int | None, int | None
]
CountedRow = tuple[int | None, bytes]

VERDICT_COLUMNS = "outcome, cause, flags, events, value, quantiles, share_lower, share_upper, limit_id, detail_id"
"""Of `verdicts`, and of `roll_up_series` for the worst window."""

_GATES, _OVERRIDDEN, _LOWER_BOUND = 1, 2, 4
_pack_quantile = struct.Struct("<Id").pack
_unpack_quantiles = struct.Struct("<Id").iter_unpack
_pack_pair = struct.Struct("<2d").pack
_pack_events = struct.Struct("<?d?d")


def verdict_row(connection: Connection, names: Names, verdict: Verdict, until: int) -> VerdictRow:
    """The ten VERDICT_COLUMNS. A share that is exact keeps one number; a quantile keeps its bucket by number.

    What has a lower bound was measured and has no detail: one text serves both.
    """
    # A REAL column of SQLite keeps -0.0 as 0.0, so no other database shall keep more; `value` has no type for its sake.
    share = verdict.good_share
    text = verdict.lower_bound or verdict.detail
    return (
        compact.OUTCOME_CODES[verdict.outcome],
        compact.CAUSE_CODES[verdict.cause],
        _GATES * verdict.gates + _OVERRIDDEN * verdict.overridden + _LOWER_BOUND * bool(verdict.lower_bound),
        None if verdict.events is None else verdict.events + 0.0,
        None if verdict.value is None else float(verdict.value),
        _quantiles_blob(connection, names, verdict.quantiles, until),
        share.lower + 0.0 if share else None,
        share.upper + 0.0 if share and share.upper != share.lower else None,
        None if verdict.limit is None else names.limits.id_of(connection, verdict.limit, until),
        names.texts.id_of(connection, text, until) if text else None,
    )


def verdict_from(connection: Connection, names: Names, labels: Labels, row: VerdictRow) -> Verdict:
    """The inverse of `verdict_row`. Raises StoreError."""
    outcome, cause, flags, events, value, quantiles, lower, upper, limit_id, detail_id = row
    text = "" if detail_id is None else names.texts.content(connection, detail_id)
    bounded = bool(flags & _LOWER_BOUND)
    return Verdict(
        labels,
        compact.outcome_of(outcome),
        compact.cause_of(cause),
        bool(flags & _GATES),
        events,
        value,
        () if quantiles is None else _quantiles_from(connection, names, quantiles),
        None if lower is None else Share(lower, lower if upper is None else upper),
        None if limit_id is None else names.limits.known.get(limit_id) or names.limits.content(connection, limit_id),
        bool(flags & _OVERRIDDEN),
        "" if bounded else text,
        text if bounded else "",
    )


def _quantiles_blob(
    connection: Connection, names: Names, quantiles: Sequence[Quantile | None], until: int
) -> bytes | None:
    if not quantiles:
        return None
    id_of = names.bounds.id_of
    return b"".join(
        [
            _pack_quantile(0, 0.0)
            if quantile is None
            else _pack_quantile(id_of(connection, _pack_pair(quantile.lower, quantile.upper), until), quantile.value)
            for quantile in quantiles
        ]
    )


def _quantiles_from(connection: Connection, names: Names, blob: bytes) -> tuple[Quantile | None, ...]:
    if len(blob) % 12:
        raise compact.damaged(f"{len(blob)} bytes are not a row of quantiles")
    known, content = names.bounds.known, names.bounds.content
    return tuple(
        [
            Quantile(value, *(known.get(bucket) or content(connection, bucket))) if bucket else None
            for bucket, value in _unpack_quantiles(blob)
        ]
    )


def counted_row(connection: Connection, names: Names, counted: Counted, until: int) -> CountedRow:
    """(bounds_id, counts): a distribution's bounds by number and its counts packed; a pair of events has no bounds."""
    match counted:
        case Distribution(bounds=bounds, counts=counts):
            bounds_id = names.bounds.id_of(connection, compact.doubles(bounds), until)
            return bounds_id, compact.squeezed_doubles(counts)
        case Events(part=part, total=total):
            return None, _pack_events.pack(
                part is not None, 0.0 if part is None else part, total is not None, 0.0 if total is None else total
            )


def counted_from(connection: Connection, names: Names, bounds_id: int | None, blob: bytes) -> Counted:
    """The inverse of `counted_row`. Raises StoreError."""
    if bounds_id is None:
        if len(blob) != _pack_events.size:
            raise compact.damaged(f"{len(blob)} bytes are not a pair of events")
        has_part, part, has_total, total = _pack_events.unpack(blob)
        return Events(part if has_part else None, total if has_total else None)
    return distribution_from(connection, names, bounds_id, blob)


def distribution_from(connection: Connection, names: Names, bounds_id: int, blob: bytes) -> Distribution:
    """The distribution of a tile or piece. Raises StoreError."""
    bounds = names.bounds.content(connection, bounds_id)
    counts = compact.squeezed_doubles_from(blob)
    if len(bounds) != len(counts):
        raise compact.damaged(f"{len(counts)} counts for {len(bounds)} bounds")
    return Distribution(bounds, counts)
