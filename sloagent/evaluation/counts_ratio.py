"""The ratio of two shares of rare events far into the tails, where the logarithm of a count is not normal any more."""

from __future__ import annotations

from math import exp, inf, log, log1p, sqrt

from sloagent.evaluation.deciding import Interval

_ENOUGH = 60
"""Halvings of a bracket, until it is a number."""
_FARTHEST = 50.0
"""Logarithm of a ratio beyond which nobody asks where it ends."""


def ratio_far(before: tuple[float, float], now: tuple[float, float], reach: float) -> Interval:
    """The logarithm of the ratio of the shares of two (bad, all) counts; `reach` is in standard errors.

    Of all bad events of both, those that fell into the second are binomial. An end is the ratio at which as many as were
    seen, corrected by half an event, lie `reach` signed roots of the deviance away (McCullagh and Nelder 1989, 4.4.3);
    a share that is not rare errs less by its binomial variance. -inf where no event was seen now, inf where none before.
    """
    (had, all_before), (has, all_now) = before, now
    middle = log((has + 0.5) / (all_now + 0.5) * (all_before + 0.5) / (had + 0.5))
    rare = 1 / (had + 0.5) + 1 / (has + 0.5)
    narrower = sqrt(max(0.0, 1 - (1 / (all_before + 0.5) + 1 / (all_now + 0.5)) / rare))
    scale = log(all_before / all_now)
    lower = scale + _end(has - 0.5, had + 0.5, reach) if has > 0.5 else -inf
    upper = scale - _end(had - 0.5, has + 0.5, reach) if had > 0.5 else inf
    return Interval(middle, middle - narrower * (middle - lower), middle + narrower * (upper - middle))


def _end(more: float, fewer: float, reach: float) -> float:
    """The logarithm of the least odds, for an event to be among the first, that explain so many first ones and others."""
    both = more + fewer
    low, high = log(more / fewer) - _FARTHEST, log(more / fewer)
    for _ in range(_ENOUGH):
        odds = (low + high) / 2
        others = -log1p(exp(odds))  # the logarithm of the probability of the others
        deviance = 2 * (more * (log(more / both) - odds - others) + fewer * (log(fewer / both) - others))
        low, high = (low, odds) if deviance < reach * reach else (odds, high)
    return low
