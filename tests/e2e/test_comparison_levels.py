"""The level of a comparison holds for an SLO of several series, whether its series share the noise of a run or not."""

from __future__ import annotations

import random

import pytest

from sloagent.evaluation.compare import compare_distributions, roll_up
from sloagent.model.comparison import Change, Terms
from tests.unit.evaluation.drawn import drawn, log_normal, noise

SERIES = [log_normal(median, sigma) for median in (0.02, 0.08, 0.3, 1.0) for sigma in (0.6, 1.0)]
SLOS = 300


@pytest.mark.parametrize("seed", [101, 202, 303])
@pytest.mark.parametrize("shared", [True, False], ids=["one noise for all series", "each its own noise"])
def test_of_300_slos_with_eight_series_of_the_same_thing_at_most_9_are_called_worse(shared, seed):
    chance = random.Random(seed)
    worse = 0
    for _ in range(SLOS):
        factor = noise(chance)
        moved = []
        for shape in SERIES:
            now = shape(factor if shared else noise(chance))
            runs = drawn(chance, shape(1.0)), drawn(chance, now)
            moved.append(compare_distributions(99.0, (), *runs, Terms(), len(SERIES)).overall)
        worse += roll_up(moved) is Change.WORSE
    assert worse <= 9


@pytest.mark.parametrize("seed", [101, 202, 303])
def test_15_percent_in_all_of_eight_series_is_called_worse_nearly_always(seed):
    chance = random.Random(seed)
    found = 0
    for _ in range(100):
        factor = 1.15 * noise(chance)
        found += Change.WORSE is roll_up(
            compare_distributions(
                99.0, (), drawn(chance, shape(1.0)), drawn(chance, shape(factor)), Terms(), len(SERIES)
            ).overall
            for shape in SERIES
        )
    assert found >= 90
