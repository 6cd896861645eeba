"""A report put into words of one language: what the templates show, unescaped (the environment escapes)."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.model.verdict import Outcome
from sloagent.report import times
from sloagent.report.answer import answer
from sloagent.report.block_views import BlockView
from sloagent.report.blocks import Telling, views
from sloagent.report.content import Report
from sloagent.report.figures import Figure, Pictures
from sloagent.report.overview import Offender, offenders, pictured, ranked
from sloagent.report.verdicts import Verdict, verdict_of
from sloagent.report.words import Words


@dataclass(frozen=True, slots=True)
class SectionView:
    """A numbered section."""

    number: int
    name: str
    title: str
    blocks: tuple[BlockView, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The whole report in words."""

    language: str
    eyebrow: str
    title: str
    facts: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    conclusion: Verdict
    answer: str
    offenders: tuple[Offender, ...]
    more_offenders: int
    picture: Figure | None
    sections: tuple[SectionView, ...]
    made_by: str


def view(report: Report, words: Words, pictures: Pictures) -> View:
    """The report in the language of `words`."""
    record = report.record
    sets = ", ".join(words.text(one.title) or one.name for one in record.sets)
    shown = offenders(report, words)
    first = pictured(report)
    picture = pictures.first(first) if first is not None else None
    told = [(section, views(section, Telling(report, words, pictures))) for section in report.sections]
    return View(
        language={"zh": "zh-CN"}.get(words.language, words.language),
        eyebrow=words.text(report.title),
        title=f"{sets} · {report.run.name}" if report.run.name else sets,
        facts=_facts(report, words),
        labels=report.run.labels,
        conclusion=verdict_of(report.conclusion if any(r.counts for r in report.results) else Outcome.MEASURED, words),
        answer=answer(report, words),
        offenders=shown,
        more_offenders=len(ranked(report)) - len(shown),
        picture=picture,
        sections=tuple(
            SectionView(number, section.name, words.text(section.title), blocks)
            for number, (section, blocks) in enumerate([pair for pair in told if pair[1]], 1)
        ),
        made_by=words.say("made_by", version=record.version) if record.version else "",
    )


def _facts(report: Report, words: Words) -> tuple[str, ...]:
    record = report.record
    duration = times.duration((report.range.end - report.range.start).total_seconds())
    said = [words.say("range", from_to=times.stretch(report.range), duration=duration)]
    if record.peer.url:
        name = words.say("prometheus", version=record.peer.version) if record.peer.version else "Prometheus"
        said.append(f"{name} · {record.peer.url}")
    if record.written_by_hand:
        said.append(words.say("written_by_hand"))
    if report.baseline is not None:
        said.append(words.say("beside_baseline", name=report.baseline.run.name or words.say("a_range")))
    return tuple(said)
