"""What a report says, as data: of no language and no format. Both are chosen when it is rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from sloagent.evaluation.roll_up import exit_code
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, SLOSet, Text
from sloagent.model.timerange import TimeRange, at, contiguous
from sloagent.model.verdict import Cause, Outcome, RangeSummary, SlotVerdict
from sloagent.report.definition import Definition
from sloagent.report.phase_results import PhaseResult, phase_result
from sloagent.report.strips import Segment, State, states, strip

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
class Evaluated:
    """One SLO over the stretch that is reported: what goes in."""

    whole: RangeSummary
    phases: tuple[RangeSummary, ...]
    """One per phase of the run, in their order."""
    slots: Iterable[SlotVerdict]
    """The recorded ones, ascending. Read once."""
    expected: Sequence[int]
    """All slots of the stretch, ascending."""
    counted: Sequence[int]
    """Those of them that are not excluded."""
    missing: Sequence[int]
    """Those of them without a verdict, neither a row of their own nor a part of an hourly sum; ascending."""


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
class Result:
    """One SLO over the run."""

    anchor: str
    """A name that is unique in the report and fit for a link."""
    summary: RangeSummary
    phases: tuple[PhaseResult, ...]
    slots: tuple[int, ...]
    """The expected ones, ascending and evenly spaced."""
    states: tuple[State, ...]
    """What each of them came out as."""
    strip: tuple[Segment, ...]
    gaps: tuple[tuple[int, int], ...]
    """First and last slot of each stretch that nobody has an answer for."""
    failing: tuple[int, ...]
    """First and last slot at which the SLO failed; empty where it never did."""
    evidence: Evidence | None
    refusals: Mapping[str, int]
    """How many slots were refused, by the kind of refusal, most often first."""
    refused: Mapping[str, tuple[tuple[int, int], ...]]
    """By kind of refusal, first and last slot of each stretch of them."""
    warnings: Mapping[str, int]
    """Prometheus's warnings and how many slots carried them."""

    @property
    def slo(self) -> SLO:
        """What was promised."""
        return self.summary.slo

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
    """A heading and the results under it, in the order of the SLO files."""

    name: str
    title: Text
    note: Text
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report says. `results` are worst first; `sections` hold the same results as they are read."""

    title: Text
    run: Run
    range: TimeRange
    sets: tuple[SLOSet, ...]
    version: str
    url: str
    results: tuple[Result, ...]
    sections: tuple[Section, ...]

    @property
    def conclusion(self) -> Outcome:
        """pass, fail, or inconclusive where a promise has no verdict: what the exit code of a gate would say."""
        code = exit_code([(result.summary.outcome, result.gates) for result in self.results])
        return {0: Outcome.PASS, 1: Outcome.FAIL}.get(code, Outcome.INCONCLUSIVE)


def content(
    run: Run,
    whole: TimeRange,
    sets: Sequence[SLOSet],
    evaluated: Sequence[Evaluated],
    definition: Definition,
    *,
    version: str,
    url: str,
    curl: Callable[[str, int], str],
) -> Report:
    """The report of a run, or of a range without a name (a run named ""), over `whole`.

    `url` is the peer's address without credentials; `curl` is the source's. The same input gives the same report.
    """
    anchors: Counter[str] = Counter()
    results = [_result(one, run, whole, url, curl, anchors) for one in evaluated]
    ordered = sorted(results, key=lambda result: (not result.gates, WORST_FIRST.index(result.summary.outcome)))
    return Report(
        title=definition.title.text, run=run, range=whole, sets=tuple(sets), version=version, url=url,
        results=tuple(ordered), sections=tuple(_sections(results, definition)),
    )  # fmt: skip


def _result(
    one: Evaluated, run: Run, whole: TimeRange, url: str, curl: Callable[[str, int], str], anchors: Counter[str]
) -> Result:
    slo = one.whole.slo
    if len(one.phases) != len(run.phases):
        raise ValueError(f"{slo.name}: {len(one.phases)} summaries for {len(run.phases)} phases")
    worst = next((series for series in one.whole.series if series.worst is not None), None)
    wanted = worst.worst.slot if worst is not None and worst.worst is not None else None
    outcomes: dict[int, Outcome] = {}
    refused: dict[str, list[int]] = {}
    warnings: Counter[str] = Counter()
    failing: tuple[int, ...] = ()
    shown: SlotVerdict | None = None
    for slot in one.slots:
        outcomes[slot.slot] = slot.outcome
        if slot.cause is Cause.REFUSED:
            refused.setdefault(slot.kind, []).append(slot.slot)
        warnings.update(slot.warnings)
        if slot.outcome is Outcome.FAIL:
            failing = (failing[0] if failing else slot.slot, slot.slot)
        if shown is None or (wanted is not None and slot.slot <= wanted):
            shown = slot
    came_out = states(one.expected, one.counted, outcomes, one.missing)
    return Result(
        anchor=_anchor(slo, anchors), summary=one.whole, phases=tuple(phase_result(phase) for phase in one.phases),
        slots=tuple(one.expected), states=came_out, strip=strip(one.expected, came_out, slo.interval), failing=failing,
        gaps=contiguous(one.missing, slo.interval),
        evidence=_evidence(shown, worst.labels if worst else (), whole, url, curl) if shown else None,
        refusals=dict(Counter({kind: len(at_slots) for kind, at_slots in refused.items()}).most_common()),
        refused={kind: contiguous(at_slots, slo.interval) for kind, at_slots in refused.items()},
        warnings=dict(warnings.most_common()),
    )  # fmt: skip


def _anchor(slo: SLO, taken: Counter[str]) -> str:
    name = "slo-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in f"{slo.set}-{slo.name}".lower())
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}-{taken[name]}"


def _evidence(
    slot: SlotVerdict, series: Labels, whole: TimeRange, url: str, curl: Callable[[str, int], str]
) -> Evidence:
    query = slot.question.query
    said = slot.detail if slot.cause is Cause.REFUSED else ""
    return Evidence(slot.slot, series, query, curl(query, slot.slot), said, _graph_url(url, query, slot.slot, whole))


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
        taken = [result for result in left if result.slo.section in section.takes]
        left = [result for result in left if result not in taken]
        if taken:
            note = section.note.text if section.note else Text("")
            yield Section(section.name, section.title.text, note, tuple(taken))
    if left:
        yield Section("other", definition.other.text, Text(""), tuple(left))
