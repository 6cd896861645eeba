"""A limit that is more lenient than the declared one stands beside it, and so does the verdict under it."""

from __future__ import annotations

import dataclasses

from sloagent.evaluation.leniency import as_declared, judged_again
from sloagent.evaluation.summary import tally
from sloagent.model.record import Part, SLORecord
from sloagent.model.slo import SLO, Limit, Objective, Override
from tests.unit.report.built import report_of
from tests.unit.report.sample import FSYNC, MUTATING, READ_ONLY, WHOLE, part, recorded, slo_record
from tests.unit.report.showing import shown, table, texts


def twice(slo: SLO) -> SLORecord:
    """The constructed run under the limits in force and under the declared ones, as the store would judge it again."""
    strict = as_declared(slo)
    assert strict is not None
    whole = part(slo, WHOLE)
    again = tally(strict, [judged_again(strict, slot) for slot in recorded(slo, WHOLE)])
    return dataclasses.replace(
        slo_record(slo), phases=(), under_declared=Part(whole.expected, whole.excluded, again, whole.whole)
    )


def rows(*slos: SLO) -> list[list[str]]:
    (grid,) = table(report_of(*map(twice, slos)), "relaxed").grids
    return texts(grid)


def test_a_limit_from_the_agents_file_that_is_more_lenient_stands_beside_the_declared_one_with_both_verdicts() -> None:
    slo = dataclasses.replace(
        MUTATING, objective=Objective(Limit(at_most=5.0), percentile=99.0), declared=Limit(at_most=1.0)
    )
    (row,) = rows(slo)
    assert row[0] == "Mutating API call latency (api-mutating-latency)"
    assert row[1:4] == ["P99 ≤ 5 s", "pass", "P99 ≤ 1 s"]
    assert row[4].startswith("fail (")


def test_where_both_verdicts_are_the_same_both_are_told_all_the_same() -> None:
    slo = dataclasses.replace(
        FSYNC, objective=Objective(Limit(at_most=0.032), percentile=99.0), declared=Limit(at_most=0.008)
    )
    (row,) = rows(slo)
    assert (row[2], row[4].split(" (")[0]) == ("pass", "pass")


def test_an_override_that_is_wider_names_its_series() -> None:
    (row,) = rows(READ_ONLY)
    assert row[1] == "P99 ≤ 1 s (P99 ≤ 30 s for LIST; P99 ≤ 5 s for GTE)"
    assert row[2] == "pass"
    assert row[4].startswith("fail (")  # LIST pods takes up to 2 s


def test_without_a_relaxed_limit_there_is_no_table() -> None:
    assert shown(report_of(dataclasses.replace(slo_record(FSYNC), phases=())), "relaxed") == ()
    tightened = Objective(
        Limit(at_most=1.0), percentile=99.0, overrides=(Override((("verb", "GET"),), Limit(at_most=0.5)),)
    )
    assert as_declared(dataclasses.replace(MUTATING, objective=tightened)) is None
