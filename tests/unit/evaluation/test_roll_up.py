from __future__ import annotations

import pytest

from sloagent.evaluation.roll_up import exit_code, roll_up
from sloagent.model.verdict import Outcome

PASS, WARN, FAIL = (Outcome.PASS, True), (Outcome.WARN, True), (Outcome.FAIL, True)
ERROR, OPEN = (Outcome.ERROR, True), (Outcome.INCONCLUSIVE, True)
FEW, IDLE, MEASURED = (Outcome.INCONCLUSIVE, False), (Outcome.NO_DATA, False), (Outcome.MEASURED, False)


@pytest.mark.parametrize(
    ("series", "outcome"),
    [
        ([PASS, WARN, OPEN, ERROR, FAIL], Outcome.FAIL),
        ([PASS, WARN, OPEN, ERROR], Outcome.ERROR),
        ([PASS, WARN, OPEN], Outcome.INCONCLUSIVE),
        ([PASS, WARN], Outcome.WARN),
        ([PASS, FEW, IDLE], Outcome.PASS),
        ([FEW, IDLE], Outcome.NO_DATA),
        ([FEW], Outcome.NO_DATA),
        ([MEASURED, IDLE], Outcome.MEASURED),
        ([(Outcome.ERROR, False), MEASURED], Outcome.ERROR),
        ([], Outcome.NO_DATA),
    ],
)
def test_the_worst_series_that_counts_decides(series, outcome):
    assert roll_up(series) is outcome
    assert roll_up(reversed(series)) is outcome


@pytest.mark.parametrize(
    ("slos", "code"),
    [
        ([PASS, WARN, MEASURED], 0),
        ([PASS, FAIL, ERROR], 1),
        ([PASS, ERROR], 3),
        ([PASS, (Outcome.NO_DATA, True)], 3),
        ([PASS, OPEN], 3),
        ([(Outcome.NO_DATA, False), (Outcome.ERROR, False)], 0),
        ([], 3),
    ],
)
def test_a_gate_fails_before_it_misses_a_verdict_and_never_passes_without_one(slos, code):
    assert exit_code(slos) == code
