"""Filling missing slots from Prometheus's past, by range queries aligned to the slots, oldest first.

A range answer decides only when it is whole. One with an error, a warning or an exceeded bound decides nothing: the
stretch is halved, down to single slots, which are asked exactly as live ones are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sloagent.app.cycle import Cycle
from sloagent.app.schedule import stretches
from sloagent.evaluation.judge import judge
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer, Kind, Question, Refusal
from sloagent.model.slo import SLO
from sloagent.model.verdict import SlotVerdict

FIRST_STRETCH = 16
"""Slots of the first range query of an SLO whose answers' size is not known yet."""
MOST_SLOTS = 5_000
"""Prometheus refuses a range of more than 11,000 points; a transaction of this many slots stays short."""
BYTES_PER_SAMPLE = 34
"""`[1795326960,"0.6117647058823529"],` as Prometheus writes it in a range answer."""

PEER_IS_AWAY = frozenset({Kind.UNREACHABLE, Kind.DNS, Kind.TLS, Kind.UNAUTHORIZED, Kind.CLOCK})
"""Refusals that say something of the peer, not of the question: asking smaller would not help."""


MOST_UNANSWERED = 3
"""Slots of one SLO that may stay without an answer in one round before the rest of it is left to the next round."""


class UnansweredError(Exception):
    """There is no answer for some slots at the moment: they stay pending, and are asked for again later."""

    def __init__(self, slots: Sequence[int], refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.slots = tuple(slots)
        """Those that stay pending, ascending."""
        self.refusal = refusal
        """Why, of the first that was asked."""


@dataclass(slots=True)
class _Work:
    """How far one `fill` has come."""

    slo: SLO
    left: set[int]
    """Slots without a recorded verdict."""
    stop: Callable[[], bool]
    recorded: int = 0
    unanswered: dict[int, Refusal] = field(default_factory=dict)


@dataclass(slots=True)
class Filler:
    """Fills slots of SLOs; remembers how heavy each one's answers are, so that no answer passes `max_response`."""

    cycle: Cycle
    max_response: int
    """Bytes; a stretch is sized for a quarter of it, because estimates err and a decoded answer is larger than its text."""
    progress: Callable[[int], None] = lambda _slots: None
    _samples_per_slot: dict[tuple[str, str], int] = field(default_factory=dict)
    _refused_before: dict[tuple[str, str], frozenset[int]] = field(default_factory=dict)

    def fill(self, slo: SLO, slots: Sequence[int], stop: Callable[[], bool] = lambda: False) -> int:
        """Ask, judge and record the slots (ascending), oldest first; returns how many were newly recorded.

        Slots that had no answer the last time come last and one by one, so that they do not keep the others from theirs.
        Raises UnansweredError when slots stay without an answer, StoreError when nothing can be recorded. `stop` is looked
        at between questions.
        """
        key = (slo.set, slo.name)
        before = self._refused_before.get(key, frozenset()).intersection(slots)
        work = _Work(slo, set(slots), stop)
        try:
            rest = [slot for slot in slots if slot not in before]
            while rest and not stop():
                stretch = stretches(rest, slo.interval, self._most_slots(slo))[0]
                del rest[: len(stretch)]
                self._fill_stretch(work, stretch)
                self.progress(len(stretch))
            for slot in sorted(before):
                if not stop():
                    self._fill_single(work, slot)
                    self.progress(1)
        finally:
            self._refused_before[key] = (before | frozenset(work.unanswered)) & work.left
        if work.unanswered:
            raise UnansweredError(sorted(work.left), next(iter(work.unanswered.values())))
        return work.recorded

    def _fill_stretch(self, work: _Work, stretch: Sequence[int]) -> None:
        slo = work.slo
        if work.stop():
            return
        if len(stretch) == 1:
            self._fill_single(work, stretch[0])
            return
        with self.cycle.telemetry.query() as told:
            answers = self.cycle.source.over(slo, stretch)
            told(answers)
        if isinstance(answers, Refusal):
            if answers.kind in PEER_IS_AWAY:
                raise UnansweredError(sorted(work.left), answers)
            middle = len(stretch) // 2
            self._fill_stretch(work, stretch[:middle])
            self._fill_stretch(work, stretch[middle:])
            return
        self._weigh(slo, answers)
        judged = [judge(slo, slot, answer) for slot, answer in zip(stretch, answers, strict=True)]
        work.recorded += self.cycle.record(judged)
        work.left.difference_update(stretch)

    def _fill_single(self, work: _Work, slot: int) -> None:
        verdict = self.cycle.evaluate_one(work.slo, slot)
        work.recorded += self.cycle.record([verdict])
        if not verdict.pending:
            work.left.discard(slot)
            return
        refusal = Refusal(verdict.question, Kind(verdict.kind), verdict.detail, final=False)
        work.unanswered[slot] = refusal
        if refusal.kind in PEER_IS_AWAY or len(work.unanswered) == MOST_UNANSWERED:
            raise UnansweredError(sorted(work.left), refusal)

    def _most_slots(self, slo: SLO) -> int:
        samples = self._samples_per_slot.get((slo.set, slo.name))
        if samples is None:
            return FIRST_STRETCH
        return max(1, min(MOST_SLOTS, self.max_response // 4 // (BYTES_PER_SAMPLE * max(samples, 1))))

    def _weigh(self, slo: SLO, answers: Sequence[Answer | Refusal]) -> None:
        heaviest = max((_samples(answer) for answer in answers), default=0)
        key = (slo.set, slo.name)
        self._samples_per_slot[key] = max(heaviest, self._samples_per_slot.get(key, 0))


def never_answered(slo: SLO, slots: Sequence[int], catch_up_seconds: float) -> list[SlotVerdict]:
    """The verdicts of slots that fell out of `catch_up` before anybody answered: errors, recorded as such."""
    message = f"Prometheus did not answer for this slot within {catch_up_seconds:g} s (evaluation.catch_up)"
    refusal = Refusal(Question(query=""), Kind.NEVER_ANSWERED, message, final=True)
    return [judge(slo, slot, refusal) for slot in slots]


def _samples(answer: Answer | Refusal) -> int:
    if isinstance(answer, Refusal):
        return 0
    return sum(len(s.bounds) if isinstance(s, Distribution) else 2 for s in answer.series.values())
