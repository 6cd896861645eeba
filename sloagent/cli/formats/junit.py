"""JUnit XML, as CI servers read it: one test suite per SLO set, one test case per series of an SLO.

A promise broken is a failure; a promise that could not be judged is an error; what promises nothing (no objective yet)
or does not gate (no events, too few) is skipped, because a green test would say that a promise was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sloagent.cli.formats import Heading, promises
from sloagent.evaluation.reasons import reason
from sloagent.model.slo import SLO
from sloagent.model.verdict import Outcome, RangeSummary, SlotVerdict
from sloagent.report.escaping import visible
from sloagent.report.naming import series_name
from sloagent.report.times import instant

_UNDECIDED = (Outcome.ERROR, Outcome.NO_DATA, Outcome.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class _Case:
    slo: SLO
    series: str
    outcome: Outcome
    gates: bool
    sentence: str
    query: str


def at_slot(heading: Heading, slots: Sequence[SlotVerdict]) -> str:
    """The document for one slot."""
    cases = [case for slot in slots for case in _slot_cases(slot)]
    return _document(heading, cases, instant(max(slot.slot for slot in slots)) if slots else "")


def over_range(heading: Heading, summaries: Sequence[RangeSummary]) -> str:
    """The document for a range."""
    cases = [case for summary in summaries for case in _range_cases(heading, summary)]
    return _document(heading, cases, instant(heading.range.start) if heading.range else "")


def _slot_cases(slot: SlotVerdict) -> list[_Case]:
    slo, query = slot.slo, slot.question.query
    cases = [_Case(slo, series_name(v.labels), v.outcome, v.gates, reason(slo, v), query) for v in slot.verdicts]
    return _with_the_slo_itself(slo, slot.outcome, reason(slo, slot), query, cases)


def _range_cases(heading: Heading, summary: RangeSummary) -> list[_Case]:
    slo, query = summary.slo, heading.queries.get((summary.slo.set, summary.slo.name), "")
    cases = [_Case(slo, series_name(s.labels), s.outcome, s.gates, reason(slo, s), query) for s in summary.series]
    return _with_the_slo_itself(slo, summary.outcome, reason(slo, summary), query, cases)


def _with_the_slo_itself(slo: SLO, outcome: Outcome, sentence: str, query: str, cases: list[_Case]) -> list[_Case]:
    """The SLO as a case of its own where no series of it shows why the gate is not green."""
    shown = any(case.gates and case.outcome is outcome for case in cases)
    if cases and (shown or outcome not in _UNDECIDED):
        return cases
    return [_Case(slo, "", outcome, promises(slo), sentence, query), *cases]


def _document(heading: Heading, cases: Sequence[_Case], timestamp: str) -> str:
    root = Element("testsuites", name="sloagent")
    for name in dict.fromkeys([*heading.sets, *(case.slo.set for case in cases)]):
        _suite(root, name, [case for case in cases if case.slo.set == name], timestamp)
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    indent(root)
    body: str = tostring(root, encoding="unicode")
    # ASCII with character references: right in whatever encoding the stream has.
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + body.encode("ascii", "xmlcharrefreplace").decode() + "\n"


def _suite(root: Element, name: str, cases: Sequence[_Case], timestamp: str) -> None:
    suite = SubElement(root, "testsuite", name=visible(name), tests=str(len(cases)))
    if timestamp:
        suite.set("timestamp", timestamp)
    for case in cases:
        _testcase(suite, case)
    suite.set("failures", str(_having(suite, "failure")))
    suite.set("errors", str(_having(suite, "error")))
    suite.set("skipped", str(_having(suite, "skipped")))


def _testcase(suite: Element, case: _Case) -> None:
    name = f"{case.slo.name} [{case.series}]" if case.series else case.slo.name
    element = SubElement(suite, "testcase", classname=visible(f"{case.slo.set}.{case.slo.name}"), name=visible(name))
    sentence = visible(case.sentence, longest=2000)
    if case.outcome is Outcome.FAIL and case.gates:
        _finding(element, "failure", case, sentence)
    elif case.outcome in _UNDECIDED and case.gates:
        _finding(element, "error", case, sentence)
    elif case.outcome in (Outcome.PASS, Outcome.WARN):
        SubElement(element, "system-out").text = sentence
    else:
        SubElement(element, "skipped", message=sentence)


def _finding(element: Element, tag: str, case: _Case, sentence: str) -> None:
    finding = SubElement(element, tag, type=case.outcome.value, message=sentence)
    finding.text = f"{sentence}\n{visible(case.query, longest=4000)}" if case.query else sentence


def _having(elements: Iterable[Element], tag: str) -> int:
    return sum(element.find(tag) is not None for element in elements)
