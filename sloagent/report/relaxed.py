"""Limits that were relaxed, with both verdicts: by the limit in force, and by the one that the set declares."""

from __future__ import annotations

from sloagent.evaluation import wording
from sloagent.evaluation.leniency import as_declared, is_more_lenient
from sloagent.model.slo import Override
from sloagent.report.cells import name_of
from sloagent.report.content import Report, Result
from sloagent.report.grid import Cell, Grid, grid, verdict_cell
from sloagent.report.result_tables import title_cell
from sloagent.report.verdicts import verdict_of
from sloagent.report.words import Words


def relaxed(report: Report, words: Words) -> Grid | None:
    """One row per SLO with a limit that is more lenient than the declared one; None where there is none."""
    found = [result for result in report.results if result.declared is not None]
    if not found:
        return None
    columns = [words.say(name) for name in ("slo", "limit_in_force", "verdict", "limit_declared", "verdict_declared")]
    return grid(columns, [_row(result, words) for result in found])


def _row(result: Result, words: Words) -> list[Cell]:
    slo, declared = result.slo, result.declared
    strict = as_declared(slo)
    assert declared is not None
    assert strict is not None
    assert strict.objective is not None
    assert slo.objective is not None
    dropped = [one for one in slo.objective.overrides if is_more_lenient(one.limit, strict.objective.limit)]
    return [
        title_cell(result, words),
        Cell(wording.objective(slo), sub="; ".join(_override(one, result, words) for one in dropped), wide=True),
        verdict_cell(verdict_of(result.summary.outcome, words)),
        Cell(wording.objective(strict)),
        Cell(
            words.say(declared.outcome.value), verdict=verdict_of(declared.outcome, words).kind,
            sub=words.reason(strict, declared),
        ),
    ]  # fmt: skip


def _override(override: Override, result: Result, words: Words) -> str:
    return words.say("for_series", limit=wording.objective(result.slo, override.limit), series=name_of(override.match))
