"""The record of a run that lies in a run file. What does not hold together is a MistakeError with its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sloagent.app import run_file_shape as shape
from sloagent.app.assess import MOST_SLOTS
from sloagent.app.run_file_facts import read_facts
from sloagent.app.run_file_mistake import MistakeError, at, each
from sloagent.app.run_file_parts import Parts, bounds, by_labels, means, stated
from sloagent.app.run_file_sets import read_labels, read_set
from sloagent.model.record import Absence, Asked, Peer, RunRecord, SLORecord, State
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.slo import SLO
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import Outcome

MOST_STATES = 10_000_000
"""Of one file, a hundred SLOs at one minute over ten weeks: as they are written, a few bytes could claim any number."""
_STATES: dict[str, State] = {str(state): state for state in (*Outcome, *Absence)}


def record_of(file: shape.File) -> RunRecord:
    """The record. Raises MistakeError."""
    sets = each("sets", file.sets, read_set)
    if len({slo_set.name for slo_set in sets}) < len(sets):
        raise MistakeError("two sets have one name", "sets")
    run = at("run", read_run, file.run)
    slos = {(slo.set, slo.name): slo for slo_set in sets for slo in slo_set.slos}
    return RunRecord(
        run=run,
        span=at("span", _range, file.span),
        sets=sets,
        slos=_records(file.slos, slos, each("bounds", file.bounds, bounds), len(run.phases)),
        peer=Peer(file.peer.name, file.peer.url, file.peer.version),
        facts=at("facts", read_facts, file.facts),
        configuration=file.configuration,
        version=file.version,
        written_by_hand=file.written_by_hand,
    )


def read_run(written: shape.Run) -> Run:
    """The run itself. Raises MistakeError."""
    start = _time(written.start)
    end = None if written.end is None else _time(written.end)
    if end is not None and end < start:
        raise MistakeError("it ends before it begins")
    return Run(
        written.name, start, end, read_labels(written.labels),
        each("phases", written.phases, lambda phase: Phase(phase.name, _range(phase), phase.note)),
        each("exclusions", written.exclusions, lambda hole: Exclusion(_range(hole), hole.reason)),
    )  # fmt: skip


def _range(written: shape.Span | shape.Phase | shape.Exclusion) -> TimeRange:
    if written.end < written.start:
        raise MistakeError("it ends before it begins")
    return TimeRange(_time(written.start), _time(written.end))


def _time(written: datetime) -> datetime:
    try:
        return written.astimezone(UTC)
    except OverflowError:
        raise MistakeError("a time lies before the year 1 or after the year 9999") from None


def _records(
    written: Sequence[shape.SLORecord],
    slos: dict[tuple[str, str], SLO],
    rows: tuple[tuple[float, ...], ...],
    phases: int,
) -> tuple[SLORecord, ...]:
    def one(record: shape.SLORecord) -> SLORecord:
        slo = slos.get((record.set, record.slo))
        if slo is None:
            raise MistakeError(f'no SLO "{record.set}/{record.slo}" stands in the sets', "slo")
        if len(record.phases) not in (0, phases):
            raise MistakeError(f"the run has {phases} phases, and here are {len(record.phases)}", "phases")
        return _record(record, Parts(slo, rows))

    if sum(length for record in written if record.slots for _, length in record.slots.states) > MOST_STATES:
        raise MistakeError(f"there are more than {MOST_STATES:,} slots", "slos")
    records = each("slos", written, one)
    if len({(record.slo.set, record.slo.name) for record in records}) < len(records):
        raise MistakeError("an SLO stands there twice", "slos")
    return records


def _record(written: shape.SLORecord, parts: Parts) -> SLORecord:
    asked, under = written.asked, written.under_declared
    slots, states = (range(0), ()) if written.slots is None else at("slots", _slots, written.slots)
    return SLORecord(
        slo=parts.slo,
        whole=at("whole", parts.part, written.whole),
        phases=each("phases", written.phases, parts.part),
        days=each("days", written.days, parts.day),
        slots=slots,
        states=states,
        refused=written.refused,
        warnings=written.warnings,
        asked=None if asked is None else Asked(asked.slot, asked.query, asked.curl, asked.said),
        lines=each("lines", written.lines, parts.line),
        means=by_labels("means", written.means, means),
        under_declared=None if under is None else at("under_declared", parts.part, under),
        stated=by_labels("stated", written.stated, stated),
        trouble=written.trouble,
    )


def _slots(written: shape.Slots) -> tuple[range, tuple[State, ...]]:
    count = sum(length for _, length in written.states)
    if not 0 < count <= MOST_SLOTS:
        raise MistakeError(f"1 to {MOST_SLOTS:,} slots are expected of an SLO, and here are {count:,}", "states")
    states: list[State] = []
    for word, length in written.states:
        if word not in _STATES:
            raise MistakeError(f'there is no state "{word[:40]}"; there are {", ".join(_STATES)}', "states")
        states += [_STATES[word]] * length
    return range(written.first, written.first + count * written.step, written.step), tuple(states)
