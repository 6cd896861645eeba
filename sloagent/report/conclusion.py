"""The conclusion, built from the verdicts: what passed, failed or stayed open and why, what moved, what to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.model.comparison import Change
from sloagent.model.run import Phase
from sloagent.model.slo import Status
from sloagent.model.verdict import Cause, Outcome
from sloagent.report import times
from sloagent.report.answer import answer
from sloagent.report.cells import name_of, objective_text
from sloagent.report.content import Report, Result
from sloagent.report.escaping import visible
from sloagent.report.result_tables import why
from sloagent.report.verdicts import good_windows
from sloagent.report.words import Words

MOST_ITEMS = 12
MOST_NAMES = 6
"""Of what one sentence lists."""
_OPEN = (Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.NO_DATA)


@dataclass(frozen=True, slots=True)
class Item:
    """One SLO and what is said of it."""

    title: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, and perhaps the SLOs it is about."""

    text: str
    items: tuple[Item, ...] = ()


def conclusion(report: Report, words: Words) -> tuple[Statement, ...]:
    """The statements, in the order in which they matter."""
    judged = [result for result in report.results if result.counts]
    groups = (
        ("concluded_failed", [r for r in judged if r.summary.outcome is Outcome.FAIL], _failed),
        ("concluded_open", [r for r in judged if r.summary.outcome in _OPEN], why),
        ("concluded_warned", [r for r in judged if r.summary.outcome is Outcome.WARN], _failed),
    )
    said = [Statement(answer(report, words))]
    said += [Statement(text) for text in look_first(report, words)]
    for key, results, say in groups:
        if results:
            items = tuple(_item(result, say(result, words), words) for result in results[:MOST_ITEMS])
            said.append(Statement(_counted(key, results, words), items))
    passed = [result for result in judged if result.summary.outcome is Outcome.PASS]
    if passed:
        items = tuple(_item(result, _passed(result, words), words) for result in passed)
        said.append(Statement(_counted("concluded_passed", passed, words), items))
    if report.baseline is not None:
        said += _moved(report, words)
    return tuple(said)


def look_first(report: Report, words: Words) -> list[str]:
    """What to look at first: where the failures lie together, what failed first, and what restarted then."""
    failed = [result for result in report.results if result.counts and result.summary.outcome is Outcome.FAIL]
    if not failed:
        return []
    said = []
    phase = _worst_phase(report, failed)
    if phase is not None:
        number, found, count = phase
        name = f"{number} {visible(found.name)}"
        note = visible(found.note)
        said.append(
            words.say(
                "look_phase", phase=name, when=times.stretch(found.range), count=count, all=len(failed),
                note=words.say("in_brackets", text=note) if note else "",
            )
        )  # fmt: skip
    timed = [result for result in failed if result.failing]
    if timed:
        first = min(timed, key=lambda result: (result.failing[0], result.slo.name))
        said.append(
            words.say("look_first", title=words.title(first.slo), time=times.within(first.failing[0], first.slots))
        )
        said += _restarts(report, timed, words)
    official = [result for result in failed if result.slo.status is Status.OFFICIAL]
    if official and len(official) < len(failed):
        names = _some([words.title(result.slo) for result in official], words)
        said.append(words.say("look_official", count=len(official), all=len(failed), names=names))
    return said


def _worst_phase(report: Report, failed: Sequence[Result]) -> tuple[int, Phase, int] | None:
    """(number, phase, failures) of the phase in which most of the failed SLOs failed; None where no phase tells of it."""
    counts = [
        (sum(result.phases[at].outcome is Outcome.FAIL for result in failed if result.phases), -at)
        for at in range(len(report.run.phases))
    ]
    if not counts or max(counts)[0] < 2:
        return None
    count, at = max(counts)
    return 1 - at, report.run.phases[-at], count


def _restarts(report: Report, timed: Sequence[Result], words: Words) -> list[str]:
    first, last = min(r.failing[0] for r in timed), max(r.failing[1] for r in timed)
    found = [
        f"{visible(one.job)} {times.moment(int(start))}"
        for one in report.record.facts.collected.components
        for start in one.started
        if first - timed[0].slo.window <= start <= last
    ]
    return [words.say("look_restarts", names=_some(found, words))] if found else []


def _some(names: Sequence[str], words: Words) -> str:
    """The first names, in which commas may stand, and how many more there are."""
    left = len(names) - MOST_NAMES
    return words.between.join([*names[:MOST_NAMES], *([words.say("and_others", count=left)] if left > 0 else [])])


def _counted(key: str, results: Sequence[Result], words: Words) -> str:
    text = words.say(key, count=len(results))
    left = len(results) - MOST_ITEMS
    return text if left <= 0 or key == "concluded_passed" else text + words.say("and_more_items", count=left)


def _item(result: Result, text: str, words: Words) -> Item:
    return Item(words.title(result.slo), result.anchor, text)


def _failed(result: Result, words: Words) -> str:
    series = result.summary.series[0] if result.summary.series else None
    if series is None or series.cause is Cause.GROWS or not series.windows.judged:
        return why(result, words)
    parts = [objective_text(result.slo, words, series.limit)]
    if name := name_of(series.labels):
        parts.append(name)
    parts.append(words.say("windows_good", windows=good_windows(series, words)))
    if series.worst is not None and series.worst.verdict.value is not None:
        value = wording.value(result.slo, series.worst.verdict, words.language)
        parts.append(words.say("worst_at", value=value, time=times.within(series.worst.slot, result.slots)))
    return words.between.join(parts)


def _passed(result: Result, words: Words) -> str:
    series = next((one for one in result.summary.series if one.gates), None)
    if series is None:
        return words.reason(result.slo, result.summary)
    value = wording.value(result.slo, series.whole, words.language) if series.whole else wording.ABSENT
    if value == wording.ABSENT and series.worst is not None:
        value = wording.value(result.slo, series.worst.verdict, words.language)
    return f"{value}{words.between}{objective_text(result.slo, words, series.limit)}"


def _moved(report: Report, words: Words) -> list[Statement]:
    said = []
    for change in (Change.WORSE, Change.BETTER, Change.CANNOT_TELL, Change.SAME):
        moved = [r for r in report.results if r.comparison is not None and r.comparison.change is change]
        if moved:
            items = tuple(_item(r, r.comparison.sentence(words) if r.comparison else "", words) for r in moved)
            shown = items[:MOST_ITEMS] if change is not Change.SAME else ()
            said.append(Statement(words.say(f"concluded_{change.value}", count=len(moved)), shown))
    return said
