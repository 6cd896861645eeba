"""The life of a run: how it begins, what may be said of it while it goes on and afterwards, and how it ends.

The command line and HTTP both come through here. Every function raises RunError with a sentence, and StoreError.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from sloagent.app import imported_runs
from sloagent.app.times import stamp
from sloagent.errors import RunError
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.timerange import TimeRange
from sloagent.store import Store

LONGEST_NAME = 200
LONGEST_TEXT = 4_000
"""Characters of a note, a reason or the value of a label."""
MOST_LABELS = 64
MOST_PARTS = 1_000
"""Phases, and exclusions, of one run: a load test that marks one a minute has sixteen hours."""
MOST_RUNS = 10_000
MOST_NAMED = 20
"""Of the runs there are, in a hint."""
START_ONE = "start one with `sloagent runs start NAME`"


def start(store: Store, name: str, labels: Mapping[str, str], at: datetime, now: datetime) -> Run:
    """Begin a run that goes on until `stop`."""
    check_name("a run", name)
    _check_labels(labels)
    _check_past("a run cannot begin", at, now)

    known = [run.name for run, _ in listed(store)]
    if len(known) >= MOST_RUNS:
        raise RunError(f"the store holds {len(known):,} runs, the most that it may", kind="stands")

    def change(there: Run | None) -> Run:
        if there is not None or name in known:
            hint = "runs are never replaced; choose another name"
            raise RunError(f"a run named `{name}` exists already", kind="stands", hint=hint)
        return Run(name, at, None, tuple(sorted(labels.items())))

    return store.change_run(name, change)


def stop(store: Store, name: str, at: datetime, now: datetime) -> Run:
    """End a run."""
    _check_past("a run cannot end", at, now)

    def change(run: Run) -> Run:
        if run.end is not None:
            raise RunError(f"`{name}` ended at {stamp(run.end)} already", kind="stands")
        if at <= run.start:
            raise RunError(f"`{name}` began at {stamp(run.start)}; it cannot end at {stamp(at)}", kind="wrong")
        for what, part in _parts(run):
            if part.end > at:
                raise RunError(
                    f"{what} of `{name}` lasts until {stamp(part.end)}; the run cannot end at {stamp(at)}", kind="wrong"
                )
        return replace(run, end=at)

    return _change(store, name, change)


def add_phase(
    store: Store, name: str, phase: str, start: datetime | None, end: datetime | None, note: str, now: datetime
) -> Run:
    """Name a part of a run. Unless said it begins where the last one ended, the first one with the run, and ends now."""
    check_name("a phase", phase)
    _check_text("a note", note)
    _check_past("a phase cannot end", end, now)

    def change(run: Run) -> Run:
        if any(known.name == phase for known in run.phases):
            raise RunError(f"`{name}` has a phase `{phase}` already", kind="stands", hint="choose another name")
        _check_room("phases", run.phases)
        begun = start or max((known.range.end for known in run.phases), default=run.start)
        added = Phase(phase, _inside("a phase", run, begun, end or now), note)
        return replace(run, phases=(*run.phases, added))

    return _change(store, name, change)


def exclude(store: Store, name: str, start: datetime, end: datetime | None, reason: str, now: datetime) -> Run:
    """Leave a stretch out of a run, until now unless said, and remember why."""
    if not reason.strip():
        raise RunError("the reason is empty; the report shows it, so say why", kind="wrong")
    _check_text("a reason", reason)
    _check_past("an exclusion cannot end", end, now)

    def change(run: Run) -> Run:
        _check_room("exclusions", run.exclusions)
        added = Exclusion(_inside("an exclusion", run, start, end or now), reason)
        return replace(run, exclusions=(*run.exclusions, added))

    return _change(store, name, change)


def listed(store: Store) -> list[tuple[Run, bool]]:
    """Every run, oldest first, and whether it was imported."""
    there = [(run, False) for run in store.runs()] + [(run, True) for run in imported_runs.heads(store)]
    return sorted(there, key=lambda pair: (pair[0].start, pair[0].name))


def shown(store: Store, name: str) -> tuple[Run, bool]:
    """One of them."""
    there = listed(store)
    for run, imported in there:
        if run.name == name:
            return run, imported
    newest = ", ".join(run.name for run, _ in there[-MOST_NAMED:])
    more = f", and {len(there) - MOST_NAMED:,} older ones" if len(there) > MOST_NAMED else ""
    hint = f"there are: {newest}{more}" if there else f"there is none yet; {START_ONE}"
    raise RunError(f"no run is named `{name[:LONGEST_NAME]}`", kind="unknown", hint=hint)


def find(store: Store, name: str) -> Run:
    """The run of this name, one that this store has watched: what was imported is not changed, and has no slots here."""
    run, imported = shown(store, name)
    if imported:
        hint = f"`sloagent report --run {name}` shows it"
        raise RunError(f"`{name}` was imported: it stays as its file says", kind="stands", hint=hint)
    return run


def check_name(what: str, name: str) -> None:
    """Raise RunError unless people can read and type this name."""
    if not name or name != name.strip() or not name.isprintable():
        raise RunError(f"{what} needs a name of visible characters; found {name[:LONGEST_NAME]!r}", kind="wrong")
    if len(name) > LONGEST_NAME:
        raise RunError(f"the name of {what} is longer than {LONGEST_NAME} characters", kind="wrong")


def _change(store: Store, name: str, change: Callable[[Run], Run]) -> Run:
    find(store, name)

    def change_existing(run: Run | None) -> Run:
        assert run is not None  # no run is ever removed
        return change(run)

    return store.change_run(name, change_existing)


def _inside(what: str, run: Run, start: datetime, end: datetime) -> TimeRange:
    if end <= start:
        raise RunError(f"{what} from {stamp(start)} to {stamp(end)} ends before it begins", kind="wrong")
    if start < run.start or (run.end is not None and end > run.end):
        lasts = f"lasted until {stamp(run.end)}" if run.end else "goes on"
        raise RunError(
            f"{what} from {stamp(start)} to {stamp(end)} lies outside `{run.name}`, which began at {stamp(run.start)}"
            f" and {lasts}",
            kind="wrong",
        )
    return TimeRange(start, end)


def _parts(run: Run) -> list[tuple[str, TimeRange]]:
    phases = [(f"the phase `{phase.name}`", phase.range) for phase in run.phases]
    return phases + [("an exclusion", hole.range) for hole in run.exclusions]


def _check_past(what: str, moment: datetime | None, now: datetime) -> None:
    if moment is not None and moment > now:
        raise RunError(f"{what} at {stamp(moment)}: that lies in the future", kind="wrong")


def _check_room(what: str, parts: tuple[object, ...]) -> None:
    if len(parts) >= MOST_PARTS:
        raise RunError(f"a run has at most {MOST_PARTS:,} {what}", kind="stands", hint="begin another run")


def _check_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > MOST_LABELS:
        raise RunError(f"a run has at most {MOST_LABELS} labels; found {len(labels)}", kind="wrong")
    for name, value in labels.items():
        check_name("a label", name)
        if not value or not value.isprintable() or len(value) > LONGEST_TEXT:
            raise RunError(
                f"the label `{name}` needs a value of 1 to {LONGEST_TEXT:,} visible characters", kind="wrong",
                hint="leave out what is not known",
            )  # fmt: skip


def _check_text(what: str, text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise RunError(f"{what} has at most {LONGEST_TEXT:,} characters; found {len(text):,}", kind="wrong")
    if odd := next((c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"), None):
        raise RunError(f"the character U+{ord(odd):04X} cannot stand in {what}", kind="wrong")
