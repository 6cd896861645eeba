"""The record of a run: all that a report needs of it, read from the store in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import groupby

from sloagent.app import assess
from sloagent.app.assess import Stretch
from sloagent.app.wiring import Agent
from sloagent.config.effective import effective
from sloagent.evaluation.leniency import as_declared, judged_again
from sloagent.evaluation.summary import summary_of, tally
from sloagent.evaluation.tallying import merge
from sloagent.model.facts import Facts
from sloagent.model.record import Absence, Asked, Day, Line, Part, Peer, RunRecord, SLORecord, State
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, ValueSLI
from sloagent.model.tally import Tally
from sloagent.model.timerange import contiguous
from sloagent.model.verdict import Cause, Outcome, RangeSummary

DRAWN_SERIES = 8
"""Of one SLO, the worst: what a chart can show without lying over itself."""
COLUMNS = 180
"""Of a chart; where a run has more than twice as many windows, each column keeps its least and its greatest."""
LEAST_PARTS = 12
"""Into so many equal parts a run is cut for the comparison of values; a longer one into its hours."""
_HOUR = 3600
_DAY = 86_400


def record_of(
    agent: Agent, slos: Sequence[SLO], run: Run, stretch: Stretch, facts: Facts, trouble: dict[SLO, str]
) -> RunRecord:
    """The record of a stretch whose slots have been filled (`assess.fill`, which gives `trouble`). Raises StoreError."""
    wanted = set(slos)
    return RunRecord(
        run=run,
        span=stretch.span,
        sets=agent.sets,
        slos=tuple(slo_record(agent, slo, stretch, trouble.get(slo, "")) for slo in agent.slos if slo in wanted),
        peer=Peer(agent.source.name, agent.settings.prometheus.url, agent.source.version()),
        facts=facts,
        configuration=effective(agent.settings),
        version=version("sloagent"),
    )


def slo_record(agent: Agent, slo: SLO, stretch: Stretch, trouble: str = "") -> SLORecord:
    """One SLO over the stretch. Raises StoreError."""
    cycle, name = agent.cycle, agent.source.name
    expected, counted = stretch.slots(slo), stretch.counted(slo)
    span = (counted[0], counted[-1]) if counted else (0, -1)
    days = _days(agent, slo, expected, counted)
    whole = Part(
        len(expected), len(expected) - len(counted), merge(day.part.tally for day in days),
        assess.whole(cycle, slo, stretch), assess.answered(cycle, slo, stretch),
    )  # fmt: skip
    days = [replace(day, part=replace(day.part, tally=_without_minima(day.part.tally))) for day in days]
    counting = frozenset(counted)
    headers = _Headers(slo)
    if counted:
        headers.read(agent, span, counting)
    missing = assess.lacking(cycle, slo, [slot for slot in counted if slot not in headers.outcomes])
    summary = summary_of(slo, whole)
    drawn = [series.labels for series in summary.series[:DRAWN_SERIES] if series.worst is not None]
    return SLORecord(
        slo=slo,
        whole=whole,
        phases=tuple(assess.part(cycle, slo, stretch.phase(phase)) for phase in stretch.phases),
        days=tuple(days),
        slots=expected,
        states=_states(expected, counting, headers.outcomes, frozenset(missing)),
        refused={kind: contiguous(slots, slo.interval) for kind, slots in sorted(headers.refused.items())},
        warnings=headers.warnings,
        asked=_asked(agent, slo, summary, span),
        lines=_lines(agent, slo, span, drawn, counting) if drawn else (),
        means=cycle.store.means(name, slo, equal_parts(slo, counted)) if isinstance(slo.sli, ValueSLI) else {},
        under_declared=_under_declared(agent, slo, whole, span, counting),
        trouble=trouble,
    )


def _days(agent: Agent, slo: SLO, expected: range, counted: Sequence[int]) -> list[Day]:
    """Day by day, UTC: tallies add, so the run's is their sum, and no sum of an hour lies on both sides of midnight."""

    def midnight(slot: int) -> int:
        return slot // _DAY * _DAY

    own = {day: list(slots) for day, slots in groupby(counted, midnight)}
    days = []
    for day, slots in groupby(expected, midnight):
        size, there = len(list(slots)), own.get(day, [])
        found = agent.cycle.store.tally(agent.source.name, slo, contiguous(there, slo.interval))
        days.append(Day(day, Part(size, size - len(there), found, None)))
    return days


def _lines(
    agent: Agent, slo: SLO, span: tuple[int, int], drawn: Sequence[Labels], counted: frozenset[int]
) -> tuple[Line, ...]:
    """The lines of these series without excluded windows: what does not count must not rule a chart's scale."""
    lines = agent.cycle.store.lines(agent.source.name, slo, span, drawn, COLUMNS)
    found = []
    for one in lines:
        windows = tuple(window for window in one.windows if window[0] in counted)
        seen = len(windows) if one.seen == len(one.windows) else one.seen
        found.append(replace(one, windows=windows, seen=seen))
    return tuple(found)


def _without_minima(counted: Tally) -> Tally:
    """A day's tally for its good windows alone: what grew is told of the run, and its minima are most of a long one."""
    return replace(counted, series={labels: replace(one, minima=()) for labels, one in counted.series.items()})


@dataclass(slots=True)
class _Headers:
    """What the recorded slots say as wholes, without their series."""

    slo: SLO
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    refused: dict[str, list[int]] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)

    def read(self, agent: Agent, span: tuple[int, int], counted: frozenset[int]) -> None:
        for header in agent.cycle.store.headers(agent.source.name, self.slo, span):
            if header.slot not in counted:
                continue
            self.outcomes[header.slot] = header.outcome
            if header.cause is Cause.REFUSED:
                self.refused.setdefault(header.kind, []).append(header.slot)
            for warning in header.warnings:
                self.warnings[warning] = self.warnings.get(warning, 0) + 1


def _states(
    expected: Iterable[int], counted: frozenset[int], outcomes: dict[int, Outcome], missing: frozenset[int]
) -> tuple[State, ...]:
    def state(slot: int) -> State:
        if slot not in counted:
            return Absence.EXCLUDED
        return outcomes.get(slot, Absence.MISSING if slot in missing else Absence.SUMMED)

    return tuple(state(slot) for slot in expected)


def _asked(agent: Agent, slo: SLO, summary: RangeSummary, span: tuple[int, int]) -> Asked | None:
    """The question of the worst window, else of the newest slot."""
    worst = next((series.worst for series in summary.series if series.worst is not None), None)
    store, name = agent.cycle.store, agent.source.name
    wanted = worst.slot if worst is not None else max(store.recorded(name, slo, span), default=None)
    if wanted is None:
        return None
    header = next(iter(store.headers(name, slo, (wanted, wanted))), None)
    if header is None:  # its row is part of an hourly sum by now: the question is that of any slot
        header = next(iter(store.headers(name, slo, span)), None)
    if header is None:
        return None
    said = header.detail if header.cause is Cause.REFUSED and header.slot == wanted else ""
    return Asked(wanted, header.query, agent.source.curl(header.query, wanted), said)


def equal_parts(slo: SLO, counted: Sequence[int]) -> list[tuple[int, int]]:
    """Twelve equal parts of the counted slots or, of a run of twelve hours and more, its hours; none with a hole in it."""
    if not counted:
        return []
    if counted[-1] - counted[0] >= LEAST_PARTS * _HOUR:
        hours: dict[int, list[int]] = {}
        for slot in counted:
            hours.setdefault(slot // _HOUR, []).append(slot)
        parts = [slots for slots in hours.values() if len(slots) * slo.interval == _HOUR]
    else:
        each = max(1, len(counted) // LEAST_PARTS)
        parts = [list(counted[first : first + each]) for first in range(0, len(counted) - each + 1, each)]
        parts = parts[:LEAST_PARTS]
    return [(part[0], part[-1]) for part in parts if part[-1] - part[0] == (len(part) - 1) * slo.interval]


def _under_declared(agent: Agent, slo: SLO, whole: Part, span: tuple[int, int], counted: frozenset[int]) -> Part | None:
    strict = as_declared(slo)
    if strict is None or not counted:
        return None
    slots = agent.cycle.store.slots(agent.source.name, slo, span)
    again = tally(strict, (judged_again(strict, slot) for slot in slots if slot.slot in counted))
    return replace(whole, tally=again)
