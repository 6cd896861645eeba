"""Pieces: what was counted from cut to cut. A stretch's distribution is the sum of its pieces.

Cuts are the ends of the stretch, of phases and exclusions, and every full hour, so that the pieces which the daemon
fetches hour by hour serve every later report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from sloagent.model.piece import Counted
from sloagent.model.samples import Refusal
from sloagent.model.slo import SLO, Labels, LatencySLI, ValueSLI
from sloagent.model.timerange import TimeRange, milliseconds
from sloagent.sources import Source, promql
from sloagent.store import Store

HOUR_MS = 3_600_000


def cuts(stretch: TimeRange, borders: Iterable[datetime], excluded: Sequence[TimeRange]) -> list[tuple[int, int]]:
    """(start, end) in milliseconds of the pieces that tile the stretch, without those inside an excluded stretch."""
    start, end = milliseconds(stretch.start), milliseconds(stretch.end)
    inner = {milliseconds(border) for border in borders}
    inner |= {milliseconds(edge) for hole in excluded for edge in (hole.start, hole.end)}
    inner |= set(range(start - start % HOUR_MS + HOUR_MS, end, HOUR_MS))
    edges = sorted({start, end} | {edge for edge in inner if start < edge < end})
    holes = [(milliseconds(hole.start), milliseconds(hole.end)) for hole in excluded]
    return [
        (left, right)
        for left, right in pairwise(edges)
        if not any(hole_start <= left and right <= hole_end for hole_start, hole_end in holes)
    ]


def fetch(
    source: Source,
    store: Store,
    slo: SLO,
    wanted: Sequence[tuple[int, int]],
    stop: Callable[[], bool] = lambda: False,
) -> Refusal | None:
    """Ask and record the wanted pieces that the store lacks; the first refusal ends it and is returned.

    `stop` is looked at between questions. Raises StoreError.
    """
    if isinstance(slo.sli, ValueSLI) or not wanted:
        return None
    known = store.cuts(source.name, slo, wanted[0][0], wanted[-1][1])
    for start_ms, end_ms in wanted:
        if (start_ms, end_ms) in known:
            continue
        if stop():
            return None
        piece = source.piece(slo, start_ms, end_ms)
        if isinstance(piece, Refusal):
            return piece
        store.append_piece(source.name, slo, piece)
    return None


def whole(
    store: Store, source_name: str, slo: SLO, wanted: Sequence[tuple[int, int]]
) -> Mapping[Labels, Counted] | None:
    """Per series the sum of exactly the wanted pieces; None while one of them is missing, or for a value SLI."""
    if isinstance(slo.sli, ValueSLI) or not wanted:
        return None
    return store.added(source_name, slo, wanted)


def answered(
    store: Store, source_name: str, slo: SLO, wanted: Sequence[tuple[int, int]]
) -> Mapping[Labels, tuple[str, ...]]:
    """The metrics that each series's pieces were read from, in the order to ask; empty where none is a lower bound."""
    if not isinstance(slo.sli, LatencySLI) or not slo.sli.lower_bounds or not wanted:
        return {}
    known = store.cuts(source_name, slo, wanted[0][0], wanted[-1][1])
    by_name: dict[str, list[tuple[int, int]]] = {}
    for start_ms, end_ms in wanted:
        asked = dict(promql.piece_questions(slo.sli, end_ms - start_ms))
        if (start_ms, end_ms) in known:
            # A query that nobody would ask now was perhaps of a lower bound, and nothing may pass by that.
            name = asked.get(known[start_ms, end_ms], slo.sli.lower_bounds[-1].histogram)
            by_name.setdefault(name, []).append((start_ms, end_ms))
    if not slo.sli.lower_bound(by_name):
        return {}
    found: dict[Labels, tuple[str, ...]] = {}
    for name in sorted(by_name, key=[*slo.sli.histograms, *(b.histogram for b in slo.sli.lower_bounds)].index):
        for labels in store.added(source_name, slo, by_name[name]) or ():
            found[labels] = (*found.get(labels, ()), name)
    return found
