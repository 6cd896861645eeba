"""SLOs as rules for Prometheus: what can be compiled, what is refused, and what Prometheus itself says of the bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sloagent.errors import SourceError
from sloagent.evaluation import wording
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer, Refusal
from sloagent.model.slo import SLO, Evaluate, LatencySLI
from sloagent.sources import Source
from sloagent.sources.rules import recording
from sloagent.sources.rules.compiling import compiled
from sloagent.sources.rules.rule import Compiled, Refused


@dataclass(frozen=True, slots=True)
class Export:
    """What became of the SLOs, each in the order written."""

    compiled: tuple[Compiled, ...]
    refused: tuple[Refused, ...]
    unseen: tuple[SLO, ...] = ()
    """Latencies of which Prometheus has no series now, so that nobody knows their bounds."""

    def of(self, slo: SLO) -> Export:
        """The part of one SLO."""
        return Export(
            tuple(one for one in self.compiled if one.slo is slo), tuple(one for one in self.refused if one.slo is slo)
        )


def export(slos: Iterable[SLO]) -> Export:
    """The rules of the SLOs, as far as files tell."""
    found = [compiled(slo) for slo in slos]
    return Export(
        tuple(one for one in found if isinstance(one, Compiled)),
        tuple(one for one in found if isinstance(one, Refused)),
    )


def checked(made: Export, source: Source, slot_of: Callable[[SLO], int]) -> Export:
    """Without the latencies whose limit is no bucket bound of what Prometheus has at a slot.

    Raises SourceError where it does not answer.
    """
    kept, refused, unseen = [], list(made.refused), []
    for one in made.compiled:
        bounds = _bounds(one.slo, source, slot_of(one.slo)) if _has_bounds(one.slo) else []
        reason = next((why for labels, found in bounds if (why := _off(one.slo, labels, found))), "")
        if reason and one.rules and one.slo.evaluate is Evaluate.RECORDED:
            # The counts of all buckets may decide where those at the limit do not: sloagent reads them.
            kept.append(
                Compiled(one.slo, tuple(recording.answers(one.slo)), (f"its verdict and its alerts: {reason}",))
            )
        elif reason:
            refused.append(Refused(one.slo, reason))
        else:
            kept.append(one)
            if _has_bounds(one.slo) and not bounds:
                unseen.append(one.slo)
    return Export(tuple(kept), tuple(refused), tuple(unseen))


Labels = tuple[tuple[str, str], ...]


def _has_bounds(slo: SLO) -> bool:
    return isinstance(slo.sli, LatencySLI) and not slo.sli.native and slo.objective is not None


def _bounds(slo: SLO, source: Source, slot: int) -> list[tuple[Labels, Sequence[float]]]:
    answer = source.at(slo, slot)
    match answer:
        case Refusal():
            raise SourceError(
                f"which bounds {slo.set}/{slo.name} has could not be asked: {answer.message}",
                kind=answer.kind.value, retryable=not answer.final,
            )  # fmt: skip
        case Answer():
            samples = answer.series.items()
            return [(labels, sample.bounds) for labels, sample in samples if isinstance(sample, Distribution)]


def _off(slo: SLO, labels: Labels, bounds: Sequence[float]) -> str:
    """Why the limit of a series is no bound; empty where it is one."""
    assert slo.objective is not None
    limit = slo.objective.limit_for(labels).at_most
    if limit is None or limit in bounds:
        return ""
    shown = wording.exactly(limit, slo.unit)
    finite = [bound for bound in bounds if bound != float("inf")]
    below = [bound for bound in finite if bound < limit][-1:]
    above = [bound for bound in finite if bound > limit][:1]
    near = " and ".join(wording.exactly(bound, slo.unit) for bound in (*below, *above))
    if not above:
        return f"{shown} lies beyond the last bucket bound, {near}" if near else "its histogram has no bucket but +Inf"
    return f"{shown} is no bucket bound; promise one that is, next to it {near}"
