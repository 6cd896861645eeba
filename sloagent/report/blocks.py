"""What stands in a section, block by block, in words of one language; the templates show each kind in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sloagent.report import comparison_tables, groups, test_bed
from sloagent.report.block_views import (
    Attachments,
    BlockView,
    Charts,
    Concerns,
    Over,
    Prose,
    Results,
    Statements,
    tables,
)
from sloagent.report.cluster_days import cluster_days
from sloagent.report.conclusion import conclusion
from sloagent.report.content import Report, Section
from sloagent.report.definition import Block
from sloagent.report.figures import Pictures
from sloagent.report.growth import growth_table, left_out
from sloagent.report.phases import phase_grids, phase_list, some_are_short
from sloagent.report.quality import quality
from sloagent.report.records import records
from sloagent.report.relaxed import relaxed
from sloagent.report.result_tables import at_a_glance, concerns, promises, result_table, verdicts
from sloagent.report.strips import WORST_FIRST
from sloagent.report.text_timeline import text_timeline
from sloagent.report.timeline import timeline
from sloagent.report.verdicts import Verdict
from sloagent.report.words import Words

_READING = ("windows", "whole", "pieces", "worst", "rank", "bounds", "charts", "days", "growth", "compared", "gate")


@dataclass(frozen=True, slots=True)
class Telling:
    """A report, a language and its pictures: what every block is made from."""

    report: Report
    words: Words
    pictures: Pictures


def views(section: Section, telling: Telling) -> tuple[BlockView, ...]:
    """The blocks of a section that have something to show."""
    return tuple(view for block in section.blocks for view in _block(block, section, telling))


def _block(block: Block, section: Section, telling: Telling) -> Iterable[BlockView]:
    report, words = telling.report, telling.words
    if block.prose is not None:
        return _written(words.text(block.prose.text), soft=True)
    if block.chart is not None:
        figure = telling.pictures.of(block.chart)
        return [Charts((figure,))] if figure is not None else []
    if block.results:
        taken = [result for result in section.results if result.slo.section in block.results]
        own = tuple(result_table(result, words) for result in taken)
        return [Results(at_a_glance(taken, words), own)] if taken else []
    assert block.show is not None
    return _SHOWN[block.show](report, words)


def _phases(report: Report, words: Words) -> list[BlockView]:
    listed = phase_list(report, words)
    if listed is None:
        return []
    before = [words.say("phases_short")] if some_are_short(report) else []
    return tables("", *phase_grids(report, words), listed, before=before)


def _quality(report: Report, words: Words) -> list[BlockView]:
    found = quality(report, words)
    said = ([words.say("quality_good")] if found.good else []) + list(found.sentences)
    blocks: list[BlockView] = [Prose(tuple(said))] if said else []
    return [*blocks, *tables("", found.table)]


def _over(report: Report, words: Words) -> list[BlockView]:
    if not any(result.strip for result in report.results):
        return []
    used = {segment.state for result in report.results for segment in result.strip}
    legend = tuple(Verdict(s.value.replace("_", "-"), words.say(s.value)) for s in WORST_FIRST if s in used)
    names = tuple(f"{number} {phase.name}" for number, phase in enumerate(report.run.phases, 1))
    return [Over(timeline(report, words), text_timeline(report, words), legend, names)]


def _growth(report: Report, words: Words) -> list[BlockView]:
    more = left_out(report)
    after = [words.say("more_left_out", count=more)] if more else []
    return tables("", growth_table(report, words), before=[words.say("growth_note")], after=after)


def _scale(report: Report, words: Words) -> list[BlockView]:
    facts = report.record.facts
    return tables(words.say("scale"), test_bed.scale(facts, words), after=test_bed.scale_checks(facts, words))


def _software(report: Report, words: Words) -> list[BlockView]:
    facts = report.record.facts
    notes = test_bed.version_notes(facts, words)
    return tables(words.say("software"), test_bed.software(facts, words), after=notes)


def _hardware(report: Report, words: Words) -> list[BlockView]:
    facts = report.record.facts
    told = tables(words.say("hardware"), test_bed.hardware(facts, words))
    return told + _attached(words.say("hardware") if not told else "", test_bed.attachments(facts, "hardware"))


def _attached(heading: str, texts: tuple[tuple[str, str], ...]) -> list[BlockView]:
    return [Attachments(heading, texts)] if texts else []


def _written(text: str, *, soft: bool = False) -> list[BlockView]:
    paragraphs = tuple(part.strip() for part in text.split("\n\n") if part.strip())
    return [Prose(paragraphs, soft)] if paragraphs else []


def _conclusion(report: Report, words: Words) -> list[BlockView]:
    told = _written(words.text(report.record.facts.written.conclusion))
    people: list[BlockView] = [Prose((words.say("people_conclude"),), soft=True)] if told else []
    return [Statements(conclusion(report, words)), *people, *told]


def _concerns(report: Report, words: Words) -> list[BlockView]:
    found = concerns(report.results, words)
    return [Concerns(found)] if found else []


def _flags(report: Report, words: Words) -> list[BlockView]:
    earlier = report.baseline.facts if report.baseline is not None else None
    return tables(words.say("flags"), test_bed.flags(report.record.facts, earlier, words))


def _load(report: Report, words: Words) -> list[BlockView]:
    return _attached(words.say("load"), test_bed.attachments(report.record.facts, "load"))


def _configuration(report: Report, words: Words) -> list[BlockView]:
    text = report.record.configuration
    return _attached("", ((words.say("configuration"), text),)) if text else []


_SHOWN: Mapping[str, Callable[[Report, Words], list[BlockView]]] = {
    "verdicts": lambda report, words: tables("", verdicts(report.results, words)),
    "attention": _concerns,
    "timeline": _over,
    "phases": _phases,
    "promises": lambda report, words: tables("", *(promises(s.results, words) for s in report.sections if s.results)),
    "background": lambda report, words: _written(words.text(report.record.facts.written.background)),
    "tools": lambda report, words: tables(words.say("tools"), test_bed.tools(report.record.facts, words)),
    "topology": lambda report, words: _written(words.text(report.record.facts.written.topology)),
    "components": lambda report, words: tables(
        words.say("components"), test_bed.components(report.record.facts, words)
    ),
    "machines": lambda report, words: tables(words.say("machines"), test_bed.machines(report.record.facts, words)),
    "software": _software,
    "hardware": _hardware,
    "flags": _flags,
    "scale": _scale,
    "load": _load,
    "comparison": comparison_tables.blocks_of,
    "groups": groups.blocks_of,
    "records": lambda report, words: tables("", records(report, words)),
    "growth": _growth,
    "cluster-days": lambda report, words: tables(
        words.say("cluster_days"), cluster_days(report, words), before=[words.say("cluster_days_note")]
    ),
    "relaxed": lambda report, words: tables(
        words.say("relaxed"), relaxed(report, words), before=[words.say("relaxed_note")]
    ),
    "quality": _quality,
    "conclusion": _conclusion,
    "reading": lambda report, words: [Prose(tuple(words.say(f"read_{key}") for key in _READING), soft=True)],  # noqa: ARG005
    "configuration": _configuration,
}
