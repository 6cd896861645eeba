"""From verdicts to text: pure functions, one module per format. Nothing here prints, asks or remembers."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sloagent.evaluation.tallying import badness
from sloagent.model.slo import SLO
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import Outcome, RangeSummary, SlotVerdict, Verdict
from sloagent.report.times import instant

SLOKey = tuple[str, str]
"""(set, name) of an SLO."""

WORST_FIRST = (
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.INCONCLUSIVE,
    Outcome.WARN,
    Outcome.PASS,
    Outcome.NO_DATA,
    Outcome.MEASURED,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """What the verdicts of one output have in common."""

    sets: tuple[str, ...]
    """Names of the SLO sets, in the order of the configuration."""
    version: str
    """The peer's version, or empty if it does not say."""
    url: str
    """The peer's address, without credentials."""
    config: str = "sloagent.yaml"
    """The agent's file as it was typed, for the next command."""
    range: TimeRange | None = None
    """The range judged; None where it is one slot."""
    queries: Mapping[SLOKey, str] = field(default_factory=dict)
    """For a range: the instant form of each SLO's newest question."""


def key(slo: SLO) -> SLOKey:
    """The (set, name) of an SLO."""
    return slo.set, slo.name


def promises(slo: SLO) -> bool:
    """Whether the SLO gates: it has an objective that is not TBD."""
    return slo.objective is not None


def outcome_counts(outcomes: Iterable[Outcome]) -> dict[Outcome, int]:
    """How many of each of the seven outcomes, worst first, zeros included."""
    found = list(outcomes)
    return {outcome: found.count(outcome) for outcome in WORST_FIRST}


def slots_worst_first(slots: Sequence[SlotVerdict]) -> list[SlotVerdict]:
    """SLOs worst first; those without objective behind those with one; otherwise as they came."""
    return sorted(slots, key=lambda slot: (not promises(slot.slo), WORST_FIRST.index(slot.outcome)))


def summaries_worst_first(summaries: Sequence[RangeSummary]) -> list[RangeSummary]:
    """SLOs worst first; those without objective behind those with one; otherwise as they came."""
    return sorted(summaries, key=lambda summary: (not promises(summary.slo), WORST_FIRST.index(summary.outcome)))


def series_worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """A slot's series worst first, those that do not gate behind those that do."""
    return sorted(verdicts, key=lambda verdict: (not verdict.gates, badness(verdict)))


def explain_command(config: str, slo: SLO, slot: int) -> str:
    """The command that shows why, quoted for a shell."""
    return shlex.join(["sloagent", "explain", "-c", config, slo.name, "--at", instant(slot)])
