"""A range judged: fill what the store lacks, then summarise. `check`, `backfill` and `report` all come through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sloagent.app import pieces
from sloagent.app.alerting import AlertFollower
from sloagent.app.catch_up import Filler, UnansweredError
from sloagent.app.cycle import Cycle
from sloagent.app.wiring import Agent
from sloagent.errors import ConfigError
from sloagent.evaluation.summary import summary_of
from sloagent.model.piece import Counted
from sloagent.model.record import Part
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.slo import SLO, Labels
from sloagent.model.timerange import TimeRange, at, contiguous
from sloagent.model.verdict import RangeSummary, SlotVerdict

MOST_SLOTS = 1_000_000
"""Of one SLO in one stretch: nearly two years of minutes. Their times alone take 8 MB."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is to be judged: a run or a phase (`inside`: whole windows only), or every slot from start to end."""

    span: TimeRange
    inside: bool
    phases: tuple[Phase, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    def slots(self, slo: SLO) -> range:
        """The slots expected of an SLO, excluded ones still among them."""
        return self.span.slots_inside(slo.interval, slo.window) if self.inside else self.span.slots(slo.interval)

    def counted(self, slo: SLO) -> list[int]:
        """The expected slots whose window touches no excluded stretch. Raises ConfigError where there are too many."""
        if (count := len(self.slots(slo))) > MOST_SLOTS:
            raise ConfigError(
                f"{slo.set}/{slo.name} has {count:,} slots since {self.span.start:%Y-%m-%d};"
                f" at most {MOST_SLOTS:,} can be judged at once",
                hint="choose a shorter stretch",
            )
        holes = [(e.range.start.timestamp(), e.range.end.timestamp()) for e in self.exclusions]
        return [t for t in self.slots(slo) if not any(t > start and t - slo.window < end for start, end in holes)]

    def pieces(self, slo: SLO) -> list[tuple[int, int]]:
        """The pieces that make up the stretch as a whole: all that any of its windows saw."""
        slots = self.slots(slo)
        if not slots and not self.inside:
            return []
        whole = self.span if self.inside else TimeRange(at(slots[0] - slo.window), at(slots[-1]))
        borders = [edge for phase in self.phases for edge in (phase.range.start, phase.range.end)]
        return pieces.cuts(whole, borders, [e.range for e in self.exclusions])

    def phase(self, phase: Phase) -> Stretch:
        """One phase of it, cut at the same borders, so that the same pieces serve both."""
        return Stretch(phase.range, inside=True, phases=self.phases, exclusions=self.exclusions)


def stretch_of(run: Run, span: TimeRange) -> Stretch:
    """A run from start to end: whole windows only. A range without a name: every slot in it."""
    return Stretch(span, inside=bool(run.name), phases=run.phases, exclusions=run.exclusions)


def fill(
    agent: Agent, slos: Sequence[SLO], stretch: Stretch, *, progress: Callable[[int], None] = lambda _: None
) -> dict[SLO, str]:
    """Evaluate and record what the store lacks of the stretch, alerts included, of which nobody is told.

    Returns, in the order of `slos`, why slots stayed pending. Raises StoreError, and ConfigError where there are too many.
    """
    cycle, max_response = agent.cycle, agent.settings.evaluation.max_response
    trouble: dict[SLO, str] = {}

    def fill_one(slo: SLO) -> None:
        filler = Filler(cycle, max_response, progress)
        expected = stretch.counted(slo)
        try:
            filler.fill(slo, lacking(cycle, slo, expected))
        except UnansweredError as unanswered:
            trouble[slo] = unanswered.refusal.message
        refusal = pieces.fetch(cycle.source, cycle.store, slo, stretch.pieces(slo))
        if refusal is not None:
            trouble.setdefault(slo, refusal.message)

    cycle.each(fill_one, slos)
    AlertFollower(agent).follow()
    return {slo: trouble[slo] for slo in slos if slo in trouble}


def summary(cycle: Cycle, slo: SLO, stretch: Stretch) -> RangeSummary:
    """The range's verdicts of one SLO, from what the store holds."""
    return summary_of(slo, part(cycle, slo, stretch))


def part(cycle: Cycle, slo: SLO, stretch: Stretch) -> Part:
    """What the store holds of one SLO over the stretch, to be summed up."""
    expected, counted = stretch.slots(slo), stretch.counted(slo)
    tally = cycle.store.tally(cycle.source.name, slo, contiguous(counted, slo.interval))
    return Part(
        len(expected), len(expected) - len(counted), tally, whole(cycle, slo, stretch), answered(cycle, slo, stretch)
    )


def whole(cycle: Cycle, slo: SLO, stretch: Stretch) -> Mapping[Labels, Counted] | None:
    """Each series's events over the stretch, added from its pieces; None while one of them is missing."""
    return pieces.whole(cycle.store, cycle.source.name, slo, stretch.pieces(slo))


def answered(cycle: Cycle, slo: SLO, stretch: Stretch) -> Mapping[Labels, tuple[str, ...]]:
    """The metrics that `whole` was read from, where one of them is a lower bound."""
    return pieces.answered(cycle.store, cycle.source.name, slo, stretch.pieces(slo))


def lacking(cycle: Cycle, slo: SLO, expected: Sequence[int]) -> list[int]:
    """Those of the expected slots (ascending) that have no verdict yet."""
    if not expected:
        return []
    recorded = cycle.store.recorded(cycle.source.name, slo, (expected[0], expected[-1]))
    return [slot for slot in expected if slot not in recorded]


def recorded_slots(cycle: Cycle, slo: SLO, stretch: Stretch) -> list[SlotVerdict]:
    """The recorded slots of one SLO in the stretch that still have full rows, ascending."""
    counted = stretch.counted(slo)
    return list(cycle.store.slots(cycle.source.name, slo, (counted[0], counted[-1]))) if counted else []


def newest_recorded(cycle: Cycle, slo: SLO, stretch: Stretch) -> SlotVerdict | None:
    """The newest of the recorded slots, read alone; None where there is none, or its row is rolled up."""
    counted = stretch.counted(slo)
    if not counted:
        return None
    recorded = cycle.store.recorded(cycle.source.name, slo, (counted[0], counted[-1]))
    newest = max(recorded, default=counted[0])
    return next(iter(cycle.store.slots(cycle.source.name, slo, (newest, newest))), None)
