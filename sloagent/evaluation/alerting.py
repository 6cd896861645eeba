"""From conditions, slot by slot, to alerts that are pending, fire and are over: one machine for every rule.

State is a function of the slots in their order and of nothing else, so that a late slot changes it to what it would have
been. What nobody can tell never ends an alert: a source that is silent has not recovered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from sloagent.model.alert import Active, Key, Rule, Severity, Stage, Transition
from sloagent.model.slo import Labels

UNSEEN_AFTER = 10
"""A series that is not in so many answers in a row, or has no events in them, cannot be bad any more."""


class State(Enum):
    """What one evaluation says of an alert's condition."""

    HOLDS = "holds"
    CALM = "calm"
    UNSEEN = "unseen"
    """The source answered, and the series was not there or had no events."""
    UNKNOWN = "unknown"
    """Nobody can tell: refused, undecided, or all series are gone."""


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that holds: how severe it is, the number and the sentence."""

    severity: Severity
    value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Look:
    """One evaluation of one rule: whose condition holds, and what is known of the others."""

    rule: Rule
    window: int
    after: int
    over_after: int
    holds: Mapping[Labels, Held]
    others: Mapping[Labels, State]
    """Of series whose condition does not hold."""
    absent: State
    """Of a series in neither."""

    def state(self, labels: Labels) -> State:
        """What it says of a series."""
        return State.HOLDS if labels in self.holds else self.others.get(labels, self.absent)


def advance(
    active: Mapping[Key, Active], slot: int, looks: Sequence[Look], run: str
) -> tuple[dict[Key, Active], list[Transition]]:
    """What is active after these evaluations of a slot, and what began to fire or ended there, by key.

    Rules without a look at this slot stay as they are. `run` is the run that the slot lies in.
    """
    after = dict(active)
    told: list[Transition] = []
    for look in looks:
        concerned = {Key(look.rule, look.window, labels) for labels in look.holds}
        concerned.update(key for key in active if key.rule is look.rule and key.window == look.window)
        for key in sorted(concerned):
            before = active.get(key)
            now = _next(before, look, key.labels, slot, run)
            if now is None:
                after.pop(key, None)
            else:
                after[key] = now
            if (transition := _transition(key, slot, before, now, look)) is not None:
                told.append(transition)
    return after, sorted(told, key=lambda one: one.key)


def ended(active: Mapping[Key, Active], slot: int, keys: Sequence[Key], reason: str) -> list[Transition]:
    """The ends of these alerts for a reason of their own: of a rule that is no longer there."""
    return [_over(key, slot, active[key], reason) for key in sorted(keys) if active[key].stage is Stage.FIRING]


def _next(before: Active | None, look: Look, labels: Labels, slot: int, run: str) -> Active | None:
    match look.state(labels):
        case State.HOLDS:
            return _held(before, look, look.holds[labels], slot, run)
        case State.UNKNOWN:
            return before
        case State.UNSEEN if before is not None and before.unseen + 1 < UNSEEN_AFTER:
            return replace(before, unseen=before.unseen + 1)
        case State.CALM if before is not None and before.stage is Stage.FIRING and before.calm + 1 < look.over_after:
            return replace(before, calm=before.calm + 1, unseen=0)
    return None


def _held(before: Active | None, look: Look, held: Held, slot: int, run: str) -> Active:
    if before is not None and before.stage is Stage.FIRING:
        # Its severity and its run are labels: with others it would be another alert.
        return replace(before, calm=0, unseen=0, value=held.value, reason=held.reason)
    started, bad = (before.started, before.bad + 1) if before is not None else (slot, 1)
    if bad < look.after:
        return Active(Stage.PENDING, held.severity, started, bad=bad, value=held.value, reason=held.reason)
    return Active(Stage.FIRING, held.severity, started, fired=slot, run=run, value=held.value, reason=held.reason)


def _transition(key: Key, slot: int, before: Active | None, now: Active | None, look: Look) -> Transition | None:
    was, is_now = (one is not None and one.stage is Stage.FIRING for one in (before, now))
    if now is not None and is_now and not was:
        return Transition(slot, key, Stage.FIRING, now.severity, now.started, now.run, now.reason)
    if before is not None and was and not is_now:
        gone = look.state(key.labels) is State.UNSEEN
        return _over(key, slot, before, "it is not seen any more" if gone else "")
    return None


def _over(key: Key, slot: int, before: Active, reason: str) -> Transition:
    return Transition(slot, key, Stage.RESOLVED, before.severity, before.started, before.run, reason)
