"""A constructed run for the texts: 28 minutes of a control plane whose etcd stalls for a while, judged by the real judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sloagent.config.load import load_settings
from sloagent.evaluation.judge import judge
from sloagent.evaluation.summary import summary_of, tally
from sloagent.model.distribution import Distribution, total_of
from sloagent.model.piece import Counted
from sloagent.model.record import Absence, Asked, Day, Line, Part, Peer, RunRecord, SLORecord
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.samples import Answer, Events, Kind, Question, Refusal
from sloagent.model.slo import (
    SLO,
    Labels,
    LatencySLI,
    Limit,
    Objective,
    Override,
    RatioSLI,
    SLOSet,
    Status,
    Text,
    ValueSLI,
)
from sloagent.model.timerange import TimeRange, contiguous
from sloagent.model.verdict import RangeSummary, SlotVerdict
from sloagent.report.content import Report, content
from sloagent.report.definition import Definition
from sloagent.report.render import Templates

START = datetime(2026, 11, 22, 5, 39, tzinfo=UTC)
INF = float("inf")
BOUNDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, INF)
MINUTE = 60


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def slo(name: str, sli: LatencySLI | RatioSLI | ValueSLI, objective: Objective | None, **more: object) -> SLO:
    return SLO("karmada", name, sli, objective, interval=60, window=60, **more)  # type: ignore[arg-type]


API = LatencySLI(("apiserver_request_sli_duration_seconds",), 'job="karmada-apiserver"', ("resource", "verb"))
P99_1S = Objective(Limit(at_most=1.0), percentile=99.0)

MUTATING = slo(
    "api-mutating-latency", API, P99_1S, section="api-call-latency", min_events=10,
    title=Text("Mutating API call latency", "变更类 API 调用时延"),
    note=Text("Server time without webhooks and queueing.", "服务端时延，不含 webhook 与排队。"),
)  # fmt: skip
READ_ONLY = slo(
    "api-readonly-latency", API, Objective(
        Limit(at_most=1.0), percentile=99.0,
        overrides=(Override((("verb", "LIST"),), Limit(at_most=30.0)), Override((("verb", "GTE"),), Limit(at_most=5.0))),
    ), section="api-call-latency", title=Text("Read-only API call latency", "只读 API 调用时延"),
)  # fmt: skip
WORK_SYNC = slo(
    "work-sync-latency",
    LatencySLI(("karmada_work_sync_workload_duration_seconds",), "", ("result",)),
    Objective(Limit(at_most=5.0), percentile=99.0), section="resource-distribution",
    title=Text("Work written to the member", "工作负载下发时延"),
)  # fmt: skip
FSYNC = slo(
    "etcd-wal-fsync", LatencySLI(("etcd_disk_wal_fsync_duration_seconds",), "", ("job",)),
    Objective(Limit(at_most=0.02), percentile=99.0), section="etcd", title=Text("etcd WAL fsync", "etcd WAL 落盘时延"),
)  # fmt: skip
SCHEDULING = slo(
    "scheduling-success", RatioSLI("bad", "sum(rate(errors[$window]))", "sum(rate(attempts[$window]))"),
    Objective(Limit(at_least=0.999)), section="scheduling", title=Text("Scheduling success", "调度成功率"),
)  # fmt: skip
MEMORY = slo(
    "component-memory", ValueSLI("max by (component) (process_resident_memory_bytes)", "bytes"),
    Objective(Limit(at_most=8 * 2.0**30, warn_at=6 * 2.0**30)), section="resource-usage", status=Status.WIP,
    title=Text("Component memory", "组件内存"),
)  # fmt: skip
REGISTRATION = slo(
    "cluster-registration", LatencySLI(("sloagent_probe_registration_seconds",), "", ("mode",)), None,
    section="cluster-registration", status=Status.WIP, title=Text("Cluster registration", "集群注册时延"),
)  # fmt: skip
SEARCH = slo(
    "search-latency", LatencySLI(("karmada_search_duration_seconds",), "", ("cluster",)), P99_1S,
    section="search", title=Text("Search latency", "检索时延"),
)  # fmt: skip
SLOS = (MUTATING, READ_ONLY, WORK_SYNC, FSYNC, SCHEDULING, MEMORY, REGISTRATION, SEARCH)
SET = SLOSet("karmada", Text("Karmada control plane", "Karmada 控制面"), SLOS)

RUN = Run(
    "soak-1", START, minute(28), (("mode", "push"), ("version", "v1.15.0")),
    (
        Phase("quiet", TimeRange(minute(0), minute(5))),
        Phase("create", TimeRange(minute(5), minute(12)), "600 Deployments"),
        Phase("etcd stalled", TimeRange(minute(12), minute(17)), "etcd's disk was throttled"),
        Phase("recovery", TimeRange(minute(17), minute(22))),
        Phase("tail", TimeRange(minute(22), minute(28))),
    ),
    (Exclusion(TimeRange(minute(24), minute(26)), "planned restart of Prometheus"),),
)  # fmt: skip


def spread(counts: dict[float, float], bounds: tuple[float, ...] = BOUNDS) -> Distribution:
    """Events per second by the bucket's upper bound, made cumulative."""
    total, cumulative = 0.0, []
    for bound in bounds:
        total += counts.get(bound, 0.0) / MINUTE
        cumulative.append(total)
    return Distribution(bounds, tuple(cumulative))


def _stalled(slot: int) -> bool:
    return minute(12) < datetime.fromtimestamp(slot, UTC) <= minute(17)


def _mutating(slot: int) -> dict[Labels, object]:
    slow = {0.05: 55.0, 1.0: 8.0, 3.0: 16.0, 5.0: 24.0} if _stalled(slot) else {0.025: 80.0, 0.05: 20.0, 0.1: 3.0}
    return {
        (("resource", "deployments"), ("verb", "POST")): spread(slow),
        (("resource", "works"), ("verb", "PATCH")): spread({0.025: 240.0, 0.05: 60.0}),
        (("resource", "secrets"), ("verb", "PUT")): spread({0.05: 4.0}),
    }


def _read_only(slot: int) -> dict[Labels, object]:
    return {
        (("resource", "configmaps"), ("verb", "GET")): spread({0.005: 400.0 + slot % 7, 0.025: 9.0}),
        (("resource", "pods"), ("verb", "LIST")): spread({0.4: 9.0, 2.0: 3.0}),
    }


def _work_sync(slot: int) -> dict[Labels, object]:
    bounds = (0.256, 0.512, 1.024, 2.048, INF)
    late = 4.0 if _stalled(slot) else 0.0
    return {(("result", "success"),): spread({0.256: 150.0, 0.512: 20.0, INF: late}, bounds)}


def _fsync(slot: int) -> dict[Labels, object]:
    bounds = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, INF)
    return {(("job", "karmada-etcd"),): spread({0.001: 800.0, 0.002: 120.0 + slot % 5, 0.008: 3.0}, bounds)}


def _memory(slot: int) -> dict[Labels, object]:
    growth = (slot - START.timestamp()) / 1680
    return {
        (("component", "karmada-controller-manager"),): 2.0**30 * (5.4 + 0.9 * growth),
        (("component", "karmada-scheduler"),): 2.0**30 * 0.31,
    }


_ANSWERS: dict[str, Callable[[int], dict[Labels, object]]] = {
    MUTATING.name: _mutating,
    READ_ONLY.name: _read_only,
    WORK_SYNC.name: _work_sync,
    FSYNC.name: _fsync,
    SCHEDULING.name: lambda slot: {(): Events(0.02 / MINUTE, 60.0)},
    MEMORY.name: _memory,
    REGISTRATION.name: lambda slot: {},
}


def question(of: SLO) -> Question:
    match of.sli:
        case LatencySLI(histograms=names, by=by, where=where):
            query = f"sum by (le, {', '.join(by)}) (rate({names[0]}_bucket{{{where}}}[{of.window // 60}m]))"
            return Question(query, names[0])
        case RatioSLI(total=total):
            return Question(total.replace("$window", f"{of.window // 60}m"))
        case ValueSLI(query=query):
            return Question(query)


def slot_verdict(of: SLO, slot: int, answers: dict[Labels, object] | None = None) -> SlotVerdict:
    """One slot, judged from the constructed answer or the one given."""
    if of is SEARCH and answers is None:
        message = 'execution: found duplicate series for the match group {cluster="member1"} on the right hand-side'
        return judge(of, slot, Refusal(question(of), Kind.EXECUTION, message, final=True))
    series = _ANSWERS[of.name](slot) if answers is None else answers
    return judge(of, slot, Answer(question(of), series))  # type: ignore[arg-type]


def slot_at(number: float) -> int:
    return int(minute(number).timestamp())


def recorded(of: SLO, stretch: TimeRange) -> list[SlotVerdict]:
    """The slots of a run's stretch, without the excluded ones and without two that nobody got an answer for."""
    holes = {slot_at(25), slot_at(26)}
    lost = {slot_at(9), slot_at(10)} if of is SCHEDULING else set()
    return [slot_verdict(of, t) for t in stretch.slots_inside(of.interval, of.window) if t not in holes | lost]


def part(of: SLO, stretch: TimeRange) -> Part:
    slots = recorded(of, stretch)
    expected = stretch.slots_inside(of.interval, of.window)
    excluded = len({slot_at(25), slot_at(26)} & set(expected))
    summed: dict[Labels, list[Distribution]] = {}
    for slot in slots:
        for labels, distribution in (slot.distributions or {}).items():
            events = tuple(count * MINUTE for count in distribution.counts)
            summed.setdefault(labels, []).append(Distribution(distribution.bounds, events))
    whole: dict[Labels, Counted] = {labels: total_of(parts) for labels, parts in summed.items()}
    if of is SCHEDULING:
        whole = {(): Events(0.4, 60.0 * MINUTE * len(slots))}
    return Part(len(expected), excluded, tally(of, slots), whole or None)


def summary(of: SLO, stretch: TimeRange) -> RangeSummary:
    """The verdict of an SLO over a stretch of the constructed run."""
    return summary_of(of, part(of, stretch))


def curl(query: str, slot: int) -> str:
    return f"curl -s http://127.0.0.1:9090/api/v1/query --data-urlencode 'query={query}' --data-urlencode 'time={slot}'"


REPOSITORY = Path(__file__).parents[3]
TEMPLATES = Templates(REPOSITORY / "reports")
WHOLE = TimeRange(RUN.start, minute(28))


def definition() -> Definition:
    return load_settings(TEMPLATES.shipped / "karmada-test-report.yaml", Definition)


def slo_record(of: SLO, slots: Sequence[SlotVerdict] | None = None) -> SLORecord:
    """One SLO of the constructed run, as the store would give it; `slots` stand in for those that were constructed."""
    found = recorded(of, WHOLE) if slots is None else list(slots)
    expected = WHOLE.slots_inside(of.interval, of.window)
    known = {slot.slot: slot.outcome for slot in found}
    states = tuple(
        Absence.EXCLUDED if slot in (slot_at(25), slot_at(26)) else known.get(slot, Absence.MISSING)
        for slot in expected
    )
    whole = part(of, WHOLE) if slots is None else Part(len(expected), 0, tally(of, found), None)
    refused: dict[str, list[int]] = {}
    warnings: dict[str, int] = {}
    for slot in found:
        if slot.kind:
            refused.setdefault(slot.kind, []).append(slot.slot)
        for warning in slot.warnings:
            warnings[warning] = warnings.get(warning, 0) + 1
    summary = summary_of(of, whole)
    worst = next((series.worst for series in summary.series if series.worst is not None), None)
    shown = next(
        (slot for slot in found if worst is not None and slot.slot == worst.slot), found[-1] if found else None
    )
    asked = None
    if shown is not None:
        query = shown.question.query
        asked = Asked(shown.slot, query, curl(query, shown.slot), shown.detail if shown.kind else "")
    lines = {
        labels: [(slot.slot, verdict) for slot in found for verdict in slot.verdicts if verdict.labels == labels]
        for labels in [series.labels for series in summary.series[:8]]
    }
    return SLORecord(
        slo=of,
        whole=whole,
        phases=tuple(part(of, phase.range) if slots is None else whole for phase in RUN.phases),
        days=(Day(int(START.timestamp()) // 86_400 * 86_400, whole),),
        slots=expected,
        states=states,
        refused={kind: contiguous(at, of.interval) for kind, at in refused.items()},
        warnings=warnings,
        asked=asked,
        lines=tuple(Line(labels, tuple(windows), len(windows)) for labels, windows in lines.items() if windows),
    )


def made_of(*records: SLORecord, run: Run = RUN, **more: object) -> RunRecord:
    """The constructed run with these records of its SLOs."""
    peer = Peer("prom", "http://127.0.0.1:9090", "2.42.0")
    record = RunRecord(run, WHOLE, (SET,), records, peer, version="0.1.0")
    return dataclasses.replace(record, **more)  # type: ignore[arg-type]


def run_record(*slos: SLO, run: Run = RUN) -> RunRecord:
    """The constructed run with all its SLOs or those given."""
    return made_of(*(slo_record(of) for of in slos or SLOS), run=run)


def report(*slos: SLO, run: Run = RUN) -> Report:
    """The report of the constructed run, over all its SLOs or those given."""
    return content(run_record(*slos, run=run), definition())


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "closing": "</script></style></pre></details><img src=x onerror=alert(1)>",
    "bar": "a|b",
    "backtick": "`rm -rf` ``` ~~~",
    "newline": "one\ntwo\r\n# three",
    "direction": "user\u202egpj.exe\u2066",
    "nul": "nul\x00\x1b[31mred\x07",
    "link": "[click](javascript:alert(1)) ![x](http://127.0.0.1/x.png)",
    "surrogate": "half\ud800",
    "endless": "x" * 100_000,
    "template": "{{ 7 * 7 }}{% raw %}",
}
"""What a label's value can be. Prometheus allows any text."""
