"""What a report says, as data: of no language and no format. Both are chosen when it is rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from sloagent.evaluation.leniency import as_declared
from sloagent.evaluation.roll_up import exit_code
from sloagent.evaluation.stated import summarise_stated
from sloagent.evaluation.summary import summary_of
from sloagent.model.comparison import Terms
from sloagent.model.record import Absence, Asked, RunRecord, SLORecord, State
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, Text
from sloagent.model.timerange import TimeRange, at, contiguous
from sloagent.model.verdict import Outcome, RangeSummary
from sloagent.report.comparing import SLOComparison, compared
from sloagent.report.definition import Block, Definition
from sloagent.report.phase_results import PhaseResult, phase_result
from sloagent.report.strips import Segment, strip

WORST_FIRST = (
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.INCONCLUSIVE,
    Outcome.NO_DATA,
    Outcome.WARN,
    Outcome.PASS,
    Outcome.MEASURED,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The question by which one slot can be judged again by hand."""

    slot: int
    series: Labels
    query: str
    curl: str
    said: str
    """The peer's own words, where it refused."""
    graph_url: str
    """The peer's graph page around the slot; empty where its address is none that a browser opens."""


@dataclass(frozen=True, slots=True)
class DayResult:
    """One SLO in one day, UTC."""

    start: int
    summary: RangeSummary


@dataclass(frozen=True, slots=True)
class Result:
    """One SLO over the run."""

    anchor: str
    """A name that is unique in the report and fit for a link."""
    record: SLORecord
    summary: RangeSummary
    phases: tuple[PhaseResult, ...]
    days: tuple[DayResult, ...]
    strip: tuple[Segment, ...]
    gaps: tuple[tuple[int, int], ...]
    """First and last slot of each stretch that nobody has an answer for."""
    failing: tuple[int, ...]
    """First and last slot at which the SLO failed; empty where it never did."""
    evidence: Evidence | None
    declared: RangeSummary | None
    """By the limits that the set declares, where those in force are more lenient."""
    comparison: SLOComparison | None
    """Beside the baseline's; None where the report has no baseline."""

    @property
    def slo(self) -> SLO:
        """What was promised."""
        return self.summary.slo

    @property
    def slots(self) -> range:
        """The expected slots."""
        return self.record.slots

    @property
    def states(self) -> tuple[State, ...]:
        """What each of them came out as."""
        return self.record.states

    @property
    def refusals(self) -> Mapping[str, int]:
        """How many slots were refused, by the kind of refusal, most often first."""
        interval = self.slo.interval
        counts = Counter(
            {
                kind: sum((last - first) // interval + 1 for first, last in stretches)
                for kind, stretches in self.record.refused.items()
            }
        )
        return dict(counts.most_common())

    @property
    def gates(self) -> bool:
        """Whether a promise was made."""
        return self.summary.slo.objective is not None

    @property
    def counts(self) -> bool:
        """Whether a promise was made that this stretch could put to the test: growth alone takes longer than some."""
        return self.gates and self.summary.outcome is not Outcome.MEASURED


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    name: str
    title: Text
    blocks: tuple[Block, ...]
    results: tuple[Result, ...]
    """Those that its blocks take, in the order of the SLO files."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report says. `results` are worst first; `sections` hold the same results as they are read."""

    title: Text
    record: RunRecord
    baseline: RunRecord | None
    terms: Terms
    definition: Definition
    results: tuple[Result, ...]
    sections: tuple[Section, ...]

    @property
    def run(self) -> Run:
        """The run that is told of."""
        return self.record.run

    @property
    def range(self) -> TimeRange:
        """What was judged of it."""
        return self.record.span

    @property
    def conclusion(self) -> Outcome:
        """pass, fail, or inconclusive where a promise has no verdict: what the exit code of a gate would say."""
        code = exit_code([(result.summary.outcome, result.gates) for result in self.results])
        return {0: Outcome.PASS, 1: Outcome.FAIL}.get(code, Outcome.INCONCLUSIVE)


def content(record: RunRecord, definition: Definition, baseline: RunRecord | None = None) -> Report:
    """The report of a recorded run, beside a baseline if there is one. The same input gives the same report."""
    anchors: Counter[str] = Counter()
    held_to = definition.comparison
    terms = Terms(held_to.tolerance, held_to.level, held_to.noise)
    earlier = (
        None
        if baseline is None
        else {
            (one.slo.set, one.slo.name): (one, concluded(one, written_by_hand=baseline.written_by_hand))
            for one in baseline.slos
        }
    )
    results = [_result(one, record, earlier, terms, anchors) for one in record.slos]
    ordered = sorted(results, key=lambda result: (not result.gates, WORST_FIRST.index(result.summary.outcome)))
    return Report(
        title=definition.title.text, record=record, baseline=baseline, terms=terms, definition=definition,
        results=tuple(ordered), sections=tuple(_sections(results, definition)),
    )  # fmt: skip


def _result(
    one: SLORecord,
    record: RunRecord,
    earlier: Mapping[tuple[str, str], tuple[SLORecord, RangeSummary]] | None,
    terms: Terms,
    anchors: Counter[str],
) -> Result:
    slo, run = one.slo, record.run
    if one.phases and len(one.phases) != len(run.phases):
        raise ValueError(f"{slo.name}: {len(one.phases)} parts for {len(run.phases)} phases")
    summary = concluded(one, written_by_hand=record.written_by_hand)
    strict = as_declared(slo)
    declared = summary_of(strict, one.under_declared) if strict is not None and one.under_declared else None
    failing = [slot for slot, state in zip(one.slots, one.states, strict=True) if state is Outcome.FAIL]
    missing = [slot for slot, state in zip(one.slots, one.states, strict=True) if state is Absence.MISSING]
    return Result(
        anchor=_anchor(slo, anchors), record=one, summary=summary,
        phases=tuple(phase_result(summary_of(slo, phase)) for phase in one.phases),
        days=tuple(DayResult(day.start, summary_of(slo, day.part)) for day in one.days),
        strip=strip(one.slots, one.states, slo.interval),
        gaps=contiguous(missing, slo.interval),
        failing=(failing[0], failing[-1]) if failing else (),
        evidence=_evidence(one.asked, summary, record) if one.asked else None,
        declared=declared,
        comparison=compared(one, earlier.get((slo.set, slo.name)), summary, terms) if earlier is not None else None,
    )  # fmt: skip


def concluded(one: SLORecord, *, written_by_hand: bool) -> RangeSummary:
    """The verdict of one SLO over its run: by what was measured, or by what somebody stated."""
    if one.stated or written_by_hand:
        return summarise_stated(one.slo, one.stated)
    return summary_of(one.slo, one.whole)


def _anchor(slo: SLO, taken: Counter[str]) -> str:
    name = "slo-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in f"{slo.set}-{slo.name}".lower())
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}-{taken[name]}"


def _evidence(asked: Asked, summary: RangeSummary, record: RunRecord) -> Evidence:
    worst = next((series for series in summary.series if series.worst is not None), None)
    graph = _graph_url(record.peer.url, asked.query, asked.slot, record.span)
    return Evidence(asked.slot, worst.labels if worst else (), asked.query, asked.curl, asked.said, graph)


def _graph_url(url: str, query: str, slot: int, whole: TimeRange) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        return ""
    minutes = max(15, min(180, int((whole.end - whole.start).total_seconds() // 60)))
    end = f"{at(slot + minutes * 30):%Y-%m-%d %H:%M:%S}"
    fields = {"g0.expr": query, "g0.tab": "0", "g0.range_input": f"{minutes}m", "g0.end_input": end}
    return f"{url.rstrip('/')}/graph?{urlencode(fields)}"


def _sections(results: Sequence[Result], definition: Definition) -> Iterable[Section]:
    left = list(results)
    for section in definition.sections:
        wanted = {name for block in section.blocks for name in block.results}
        taken = [result for result in left if result.slo.section in wanted]
        left = [result for result in left if result not in taken]
        yield Section(section.name, section.title.text, tuple(section.blocks), tuple(taken))
    if left:
        names = list(dict.fromkeys(result.slo.section for result in left))
        other = Block.model_construct(prose=None, show=None, results=names, chart=None)
        yield Section("other", definition.other.text, (other,), tuple(left))
