"""Everything that is promised, as lines of JSON in one order, whatever the order in which it came.

Kinds in order: alert_transition, document, piece, piece_series, roll_up, roll_up_series, run, slo, slot, tile, tile_series,
verdict; within a kind by source, set, SLO, fingerprint, slot or start, rule and window of an alert, labels; documents and
runs by name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted, Piece
from sloagent.model.run import Run
from sloagent.model.samples import Events
from sloagent.model.slo import Limit
from sloagent.model.tally import Numbers, SeriesTally
from sloagent.model.verdict import SlotVerdict, Verdict
from sloagent.store.alerts import read_transitions
from sloagent.store.dictionary import Names
from sloagent.store.documents import PROMISED, hashes
from sloagent.store.pieces import read_pieces
from sloagent.store.roll_ups import RollUp, read_roll_ups
from sloagent.store.runs import read_runs
from sloagent.store.slots import read_slots, read_tiles
from sloagent.store.sql import Connection
from sloagent.store.versions import Version, every

_EARLIEST, _LATEST = -(2**62), 2**62

Number = float | str | None
Fields = dict[str, object]


def dump(connection: Connection, names: Names) -> Iterator[str]:
    """The lines, without line ends. Reads one slot, piece or roll-up at a time."""
    known = every(connection)
    by_version: Sequence[tuple[str, Callable[[Connection, Names, Version], Iterator[Fields]]]] = (
        ("alert_transition", _alert_transitions), ("document", _nothing), ("piece", _pieces),
        ("piece_series", _piece_series), ("roll_up", _roll_ups), ("roll_up_series", _roll_up_series), ("run", _nothing),
        ("slo", _slos), ("slot", _slots), ("tile", _tiles), ("tile_series", _tile_series), ("verdict", _verdicts),
    )  # fmt: skip
    for kind, fields_of in by_version:
        if kind == "document":
            for name, sha256 in hashes(connection):
                yield _line({"kind": kind, "document": PROMISED, "name": name, "sha256": sha256})
        if kind == "run":
            for run in sorted(read_runs(connection), key=lambda run: run.name):
                yield _line({"kind": kind, **_run(run)})
        for version in known:
            key = {
                "kind": kind,
                "source": version.source,
                "set": version.slo_set,
                "slo": version.slo,
                "fingerprint": version.fingerprint,
            }
            for fields in fields_of(connection, names, version):
                yield _line({**key, **fields})


def _line(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _number(number: float | None) -> Number:
    """A double as Python's shortest text that reads back as the same; the three that JSON lacks as Prometheus has them."""
    if number is None:
        return None
    number = float(number)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"


def _nothing(_connection: Connection, _names: Names, _version: Version) -> Iterator[Fields]:
    return iter(())


def _slos(connection: Connection, _names: Names, version: Version) -> Iterator[Fields]:
    # A version that was only ever watched says nothing about what was found.
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM slots WHERE slo_id = ?) OR EXISTS (SELECT 1 FROM roll_ups WHERE slo_id = ?)"
        " OR EXISTS (SELECT 1 FROM pieces WHERE slo_id = ?) OR EXISTS (SELECT 1 FROM tiles WHERE slo_id = ?)",
        (version.id,) * 4,
    ).fetchone()
    if found[0]:
        yield {"spec": json.loads(version.spec)}


def _alert_transitions(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for one in read_transitions(connection, names, version.id, _EARLIEST, _LATEST):
        yield {
            "slot": one.slot,
            "rule": one.key.rule,
            "window": one.key.window,
            "labels": dict(one.key.labels),
            "stage": one.stage,
            "severity": one.severity,
            "started": one.started,
            "run": one.run,
            "reason": one.reason,
        }


def _all_slots(connection: Connection, names: Names, version: Version) -> Iterator[SlotVerdict]:
    return read_slots(connection, names, version.id, version.as_slo(), _EARLIEST, _LATEST)


def _slots(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for judged in _all_slots(connection, names, version):
        yield {
            "slot": judged.slot,
            "outcome": judged.outcome,
            "cause": judged.cause,
            "refusal": judged.kind or None,
            "query": judged.question.query,
            "histogram": judged.question.histogram or None,
            "detail": judged.detail,
            "warnings": judged.warnings,
            "series": len(judged.verdicts),
        }


def _verdicts(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for judged in _all_slots(connection, names, version):
        for verdict in judged.verdicts:
            yield {"slot": judged.slot, "labels": dict(verdict.labels), **_verdict(verdict)}


def _verdict(verdict: Verdict) -> Fields:
    share = verdict.good_share
    return {
        "outcome": verdict.outcome,
        "cause": verdict.cause,
        "gates": verdict.gates,
        "events": _number(verdict.events),
        "value": _number(verdict.value),
        "quantiles": [
            None if q is None else {"value": _number(q.value), "lower": _number(q.lower), "upper": _number(q.upper)}
            for q in verdict.quantiles
        ],
        "good_share": None if share is None else {"lower": _number(share.lower), "upper": _number(share.upper)},
        "limit": _limit(verdict.limit),
        "overridden": verdict.overridden,
        "detail": verdict.detail,
        **({"lower_bound": verdict.lower_bound} if verdict.lower_bound else {}),
    }


def _limit(limit: Limit | None) -> Fields | None:
    if limit is None:
        return None
    return {
        "at_most": _number(limit.at_most),
        "at_least": _number(limit.at_least),
        "warn_at": _number(limit.warn_at),
    }


def _tiles(connection: Connection, _names: Names, version: Version) -> Iterator[Fields]:
    for slot, count in connection.execute(
        "SELECT slot, series_count FROM tiles WHERE slo_id = ? ORDER BY slot", (version.id,)
    ):
        yield {"slot": slot, "series": count}


def _tile_series(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for slot, tile in read_tiles(connection, names, version.id, _EARLIEST, _LATEST):
        for labels, distribution in tile.items():
            yield {"slot": slot, "labels": dict(labels), **_counted(distribution)}


def _all_pieces(connection: Connection, names: Names, version: Version) -> Iterator[Piece]:
    return read_pieces(connection, names, version.id, _EARLIEST, _LATEST)


def _pieces(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for piece in _all_pieces(connection, names, version):
        yield {
            "start_ms": piece.start_ms,
            "end_ms": piece.end_ms,
            "query": piece.query,
            "series": len(piece.series),
        }


def _piece_series(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for piece in _all_pieces(connection, names, version):
        for labels, counted in piece.series.items():
            yield {
                "start_ms": piece.start_ms,
                "end_ms": piece.end_ms,
                "labels": dict(labels),
                **_counted(counted),
            }


def _counted(counted: Counted) -> Fields:
    match counted:
        case Distribution(bounds=bounds, counts=counts):
            return {"bounds": [_number(b) for b in bounds], "counts": [_number(c) for c in counts]}
        case Events(part=part, total=total):
            return {"part": _number(part), "total": _number(total)}


def _all_roll_ups(connection: Connection, names: Names, version: Version) -> Iterator[RollUp]:
    return read_roll_ups(connection, names, version.id, version.interval, _EARLIEST, _LATEST)


def _roll_ups(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for rolled in _all_roll_ups(connection, names, version):
        yield {
            "first": rolled.slots[0],
            "last": rolled.slots[-1],
            "slots": rolled.slots,
            "refused": rolled.tally.refused,
            "refusals": rolled.tally.refusals,
            "histograms": rolled.first_uses,
            "overrides_used": [dict(match) for match in sorted(rolled.tally.overrides_used)],
            "series": len(rolled.tally.series),
        }


def _roll_up_series(connection: Connection, names: Names, version: Version) -> Iterator[Fields]:
    for rolled in _all_roll_ups(connection, names, version):
        for labels, counted in rolled.tally.series.items():
            yield {"first": rolled.slots[0], "labels": dict(labels), **_series_tally(counted)}


def _series_tally(counted: SeriesTally) -> Fields:
    worst = counted.worst
    return {
        "good": counted.good,
        "warned": counted.warned,
        "bad": counted.bad,
        "undecided": counted.undecided,
        "idle": counted.idle,
        "too_few": counted.too_few,
        "measured": counted.measured,
        "worst": None if worst is None else {"slot": worst.slot, **_verdict(worst.verdict)},
        "minima": [[start, _number(least)] for start, least in counted.minima],
        "numbers": None if counted.numbers is None else _numbers(counted.numbers),
    }


def _numbers(numbers: Numbers) -> Fields:
    return {
        "count": numbers.count,
        "total": str(numbers.total),
        "least": _number(numbers.least),
        "greatest": _number(numbers.greatest),
    }


def _run(run: Run) -> Fields:
    return {
        "name": run.name,
        "start": run.start.isoformat(),
        "end": None if run.end is None else run.end.isoformat(),
        "labels": dict(run.labels),
        "phases": [
            {
                "name": phase.name,
                "start": phase.range.start.isoformat(),
                "end": phase.range.end.isoformat(),
                "note": phase.note,
            }
            for phase in run.phases
        ],
        "exclusions": [
            {
                "start": left_out.range.start.isoformat(),
                "end": left_out.range.end.isoformat(),
                "reason": left_out.reason,
            }
            for left_out in run.exclusions
        ],
    }
