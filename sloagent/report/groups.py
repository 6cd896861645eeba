"""Control group beside test group: two parts of one run, compared as a run is with its baseline."""

from __future__ import annotations

from sloagent.model.comparison import Terms
from sloagent.model.record import RunRecord, SLORecord
from sloagent.model.slo import Labels
from sloagent.report.block_views import BlockView, Prose, tables
from sloagent.report.comparing import Side, SLOComparison, roll_up_of, side_by_side, side_of
from sloagent.report.comparison_tables import series_table, terms_said
from sloagent.report.content import Report
from sloagent.report.definition import Group, Groups
from sloagent.report.words import Words


def blocks_of(report: Report, words: Words) -> list[BlockView]:
    """One table per SLO that either group has; nothing where the definition names no groups.

    Where no SLO has a series of either, that is said: a misspelt group is no empty section.
    """
    groups = report.definition.groups
    if groups is None:
        return []
    control, test = words.text(groups.control.title.text), words.text(groups.test.title.text)
    blocks: list[BlockView] = []
    for result in report.results:
        comparison = between(result.record, report.record, groups, report.terms)
        if comparison is not None:
            blocks += tables(words.title(result.slo), series_table(comparison, words, control, test))
    if not blocks:
        return [Prose((words.say("groups_empty", control=control, test=test),))]
    terms = terms_said(report, words)
    return [Prose((words.say("groups_are", control=control, test=test), terms), soft=True), *blocks]


def between(one: SLORecord, record: RunRecord, groups: Groups, terms: Terms) -> SLOComparison | None:
    """An SLO's test group beside its control group; None where neither has a series of it."""
    control, test = _side(one, record, groups.control), _side(one, record, groups.test)
    if not control.series and not test.series:
        return None
    found = side_by_side(one.slo, control, test, terms)
    return SLOComparison(one.slo, roll_up_of(found), found, terms)


def _side(one: SLORecord, record: RunRecord, group: Group) -> Side:
    if group.phase:
        names = [phase.name for phase in record.run.phases]
        part = one.phases[names.index(group.phase)] if group.phase in names and one.phases else None
        return Side((part.whole if part else None) or {}, {}, {}, part.answered if part else {}, one.slo)
    whole = side_of(one)
    wanted = set(group.labels.items())

    def chosen(labels: Labels) -> Labels | None:
        """The labels without those that select the group; None for a series of another group."""
        return tuple(pair for pair in labels if pair not in wanted) if wanted <= set(labels) else None

    return Side(
        {key: counted for labels, counted in whole.counted.items() if (key := chosen(labels)) is not None},
        {key: means for labels, means in whole.means.items() if (key := chosen(labels)) is not None},
        {key: stated for labels, stated in whole.stated.items() if (key := chosen(labels)) is not None},
        {key: names for labels, names in whole.answered.items() if (key := chosen(labels)) is not None},
        one.slo,
    )
