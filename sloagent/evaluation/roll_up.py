"""From many outcomes to one: series to SLO, and SLOs to the exit code of a gate."""

from __future__ import annotations

from collections.abc import Iterable

from sloagent.model.verdict import Outcome

_WITHOUT_VERDICT = frozenset({Outcome.NO_DATA, Outcome.INCONCLUSIVE, Outcome.ERROR})


def roll_up(outcomes: Iterable[tuple[Outcome, bool]]) -> Outcome:
    """The outcome of an SLO, from (outcome, gates) of each of its series.

    fail if a series fails, else error, else inconclusive if a gating series is, else warn, else pass; without any of
    these, measured if a series was, else no_data. An empty answer is no_data.
    """
    seen: set[Outcome] = set()
    for outcome, gates in outcomes:
        if gates or outcome is not Outcome.INCONCLUSIVE:
            seen.add(outcome)
    for outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS, Outcome.MEASURED):
        if outcome in seen:
            return outcome
    return Outcome.NO_DATA


def exit_code(outcomes: Iterable[tuple[Outcome, bool]]) -> int:
    """The exit code of a gate over SLOs, from (outcome, gates) of each; an SLO without objective does not gate.

    1: an SLO failed. 3: a gating SLO has no verdict, or there is no SLO at all. 0: all pass, warn or are measured.
    """
    pairs = list(outcomes)
    if any(outcome is Outcome.FAIL for outcome, gates in pairs if gates):
        return 1
    return 3 if not pairs or any(outcome in _WITHOUT_VERDICT for outcome, gates in pairs if gates) else 0
