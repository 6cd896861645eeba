"""Runs with their phases and exclusions. Moments are kept to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.timerange import TimeRange
from sloagent.store import compact
from sloagent.store.sql import Connection

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch of an aware time."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(since_epoch: int) -> datetime:
    """The inverse of `microseconds`, in UTC."""
    return _EPOCH + since_epoch * _MICROSECOND


def save_run(connection: Connection, run: Run) -> None:
    """Put the run in the place of the one with its name."""
    connection.execute("DELETE FROM phases WHERE run = ?", (run.name,))
    connection.execute("DELETE FROM exclusions WHERE run = ?", (run.name,))
    connection.execute("DELETE FROM runs WHERE name = ?", (run.name,))
    connection.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?)",
        (
            run.name,
            microseconds(run.start),
            None if run.end is None else microseconds(run.end),
            compact.labels_text(run.labels),
        ),
    )
    connection.executemany(
        "INSERT INTO phases VALUES (?, ?, ?, ?, ?, ?)",
        [
            (run.name, n, phase.name, microseconds(phase.range.start), microseconds(phase.range.end), phase.note)
            for n, phase in enumerate(run.phases)
        ],
    )
    connection.executemany(
        "INSERT INTO exclusions VALUES (?, ?, ?, ?, ?)",
        [
            (run.name, n, microseconds(left_out.range.start), microseconds(left_out.range.end), left_out.reason)
            for n, left_out in enumerate(run.exclusions)
        ],
    )


def read_runs(connection: Connection) -> list[Run]:
    """All runs, ascending by start, then name."""
    phases: dict[str, list[Phase]] = {}
    for run, name, start, end, note in connection.execute(
        "SELECT run, name, start_us, end_us, note FROM phases ORDER BY position"
    ):
        phases.setdefault(run, []).append(Phase(name, TimeRange(moment(start), moment(end)), note))
    exclusions: dict[str, list[Exclusion]] = {}
    for run, start, end, reason in connection.execute(
        "SELECT run, start_us, end_us, reason FROM exclusions ORDER BY position"
    ):
        exclusions.setdefault(run, []).append(Exclusion(TimeRange(moment(start), moment(end)), reason))
    found = [
        Run(
            name,
            moment(start),
            None if end is None else moment(end),
            compact.labels_from_text(labels),
            tuple(phases.get(name, ())),
            tuple(exclusions.get(name, ())),
        )
        for name, start, end, labels in connection.execute("SELECT name, start_us, end_us, labels FROM runs")
    ]
    return sorted(found, key=lambda run: (run.start, run.name))


def cuts(runs: list[Run], window: int) -> list[int]:
    """The moments (microseconds) at which a run, a phase or an exclusion begins or ends to hold for slots, ascending.

    Two slots t, u belong to the same runs, phases and exclusions if no cut c has t < c ≤ u: a run or phase from A to B
    has the slots A + window ≤ t ≤ B; an exclusion takes out those with t > start and t - window < end.
    """
    window_us = window * 1_000_000
    found: set[int] = set()
    for run in runs:
        found.add(microseconds(run.start) + window_us)
        if run.end is not None:
            found.add(microseconds(run.end) + 1)
        for phase in run.phases:
            found |= {microseconds(phase.range.start) + window_us, microseconds(phase.range.end) + 1}
        for left_out in run.exclusions:
            found |= {microseconds(left_out.range.start) + 1, microseconds(left_out.range.end) + window_us}
    return sorted(found)
