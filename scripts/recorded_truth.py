"""Judges a recording's API call latency phase by phase, and sets the client's own measurement beside it.

    .venv/bin/python scripts/recorded_truth.py RECORDING [--markdown FILE]

RECORDING is a directory with `tsdb/`, `phases.json` and `groundtruth/api_calls.csv`. The first table judges windows of one
minute that lie wholly inside a phase, and beside them the last 5-minute window, with the phases that it overlaps. The
second sets each call that the client made beside the server's series of the same calls, over the whole phase.
"""

import argparse
import json
import math
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from make_recording import kind_of_call, rows  # noqa: E402 - it lies beside this script

from sloagent.config.load import load_slo_files  # noqa: E402
from sloagent.evaluation.judge import judge  # noqa: E402
from sloagent.model.samples import Answer  # noqa: E402
from sloagent.model.slo import SLO  # noqa: E402
from sloagent.model.verdict import Outcome, Verdict  # noqa: E402
from sloagent.sources.http_config import PrometheusSettings  # noqa: E402
from sloagent.sources.prometheus import PrometheusSource  # noqa: E402
from tests.prometheus import Prometheus  # noqa: E402

WINDOW, LONG_WINDOW, EVERY = 60, 300, 15
JOBS = {"api": "karmada-apiserver", "aggregated": "karmada-aggregated-apiserver"}
TRUTH = {  # which of the client's calls each SLO promises something of
    "api-mutating-latency": "karmada mutating",
    "api-readonly-resource-latency": "karmada readonly-resource",
    "api-readonly-namespace-latency": "karmada readonly-namespace",
    "api-readonly-cluster-latency": "karmada readonly-cluster",
    "aggregated-api-readonly-resource-latency": "aggregated readonly-resource",
    "aggregated-api-readonly-cluster-latency": "aggregated readonly-cluster",
}
FEW = 10


@dataclass(frozen=True)
class Phase:
    name: str
    start: float
    end: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("recording", type=Path)
    arguments.add_argument("--markdown", type=Path, help="write to this file instead of standard output")
    given = arguments.parse_args()
    phases = [
        Phase(p["name"], datetime.fromisoformat(p["start"]).timestamp(), datetime.fromisoformat(p["end"]).timestamp())
        for p in json.loads((given.recording / "phases.json").read_text())
    ]
    client = client_calls(given.recording / "groundtruth" / "api_calls.csv")
    (karmada,) = load_slo_files(["builtin:karmada"], parameters={}, relative_to=Path.cwd())
    slos = [slo for slo in karmada.slos if slo.section == "api-call-latency"]
    with tempfile.TemporaryDirectory() as scratch:
        tsdb = Path(scratch) / "tsdb"
        shutil.copytree(given.recording / "tsdb", tsdb)
        for path in [tsdb, *tsdb.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        with Prometheus(tsdb) as server:
            source = PrometheusSource(PrometheusSettings(url=server.url))
            lines = [*verdicts(source, slos, phases, client), "", *like_with_like(source, slos, phases, client)]
            source.close()
    text = "\n".join(lines) + "\n"
    if given.markdown:
        given.markdown.write_text(text)
    else:
        sys.stdout.write(text)


def verdicts(
    source: PrometheusSource, slos: list[SLO], phases: list[Phase], client: dict[tuple[str, str], list[float]]
) -> Iterator[str]:
    yield "| phase | SLO | windows of 1 min | worst series | client: calls, within the limit, P99 | last 5 min window |"
    yield "|---|---|---|---|---|---|"
    for phase in phases:
        for slo in slos:
            minute = replace(slo, window=WINDOW, interval=1)
            found = [judged(source, minute, slot) for slot in slots_inside(source, minute, phase)]
            outcomes = Counter(outcome for outcome, _ in found)
            worst = worst_of(verdict for _, series in found for verdict in series)
            yield (
                f"| {phase.name} | {slo.name} | {counted(outcomes)} | {described(worst)} "
                f"| {truth_of(slo, phase, client)} | {long_reading(source, slo, phase, phases)} |"
            )


def slots_inside(source: PrometheusSource, slo: SLO, phase: Phase) -> list[int]:
    """The slots whose whole window lies in the phase: each 15 s, else each second.

    Where the phase is too short for a window between whole seconds, those whose window reaches out by less than a
    second, and only if no scrape of the job lies there: then no sample of another phase is in it.
    """
    whole = range(math.ceil(phase.start + slo.window), math.floor(phase.end) + 1)
    if whole:
        return [slot for slot in whole if slot % EVERY == 0] or list(whole)
    near = range(math.ceil(phase.start + slo.window - 1), math.floor(phase.end + 1) + 1)
    return [slot for slot in near if all(phase.start <= at <= phase.end for at in scrapes(source, slo, slot))]


def scrapes(source: PrometheusSource, slo: SLO, slot: int) -> list[float]:
    """When the SLO's job was scraped within the window of a slot."""
    job = JOBS[slo.name.split("-")[0]]
    form = {"query": f'up{{job="{job}"}}[{slo.window}s]', "time": str(slot)}
    reply = json.loads(source._connection.post("/api/v1/query", form).body)  # noqa: SLF001 - no seam asks for raw samples
    return [at for series in reply["data"]["result"] for at, _ in series["values"]]


def judged(source: PrometheusSource, slo: SLO, slot: int) -> tuple[Outcome, tuple[Verdict, ...]]:
    answer = source.at(slo, slot)
    assert isinstance(answer, Answer), answer
    verdict = judge(slo, slot, answer)
    return verdict.outcome, verdict.verdicts


def worst_of(series: Iterable[Verdict]) -> Verdict | None:
    return min(
        (v for v in series if v.gates and v.good_share is not None),
        key=lambda v: v.good_share.lower if v.good_share else 1.0,
        default=None,
    )


def counted(outcomes: Counter[Outcome]) -> str:
    if not outcomes:
        return "no window fits"
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))


def described(worst: Verdict | None) -> str:
    if worst is None or worst.good_share is None:
        return "—"
    name = " ".join(value for _, value in worst.labels) or "all"
    return f"{name}: {percent(worst.good_share.lower)} within, P99 {p99(worst)}"


def p99(verdict: Verdict) -> str:
    quantile = verdict.quantiles[2]
    if quantile is None:
        return "—"
    return f"{quantile.value:.3g} s ({quantile.lower:g}–{quantile.upper:g})"


def truth_of(slo: SLO, phase: Phase, client: dict[tuple[str, str], list[float]]) -> str:
    if slo.name == "api-request-latency":
        kinds = [kind for kind in TRUTH.values() if kind.startswith("karmada")]
        return "; ".join(
            f"{kind.removeprefix('karmada ')}: {stated(calls, slo)}"
            for kind in kinds
            if (calls := client.get((phase.name, kind)))
        )
    calls = client.get((phase.name, TRUTH.get(slo.name, "")))
    return stated(calls, slo) if calls else "no calls"


def stated(calls: list[float], slo: SLO) -> str:
    limit = slo.objective.limit.at_most if slo.objective else None
    within = sum(seconds <= (limit or math.inf) for seconds in calls) / len(calls)
    return f"{len(calls)}, {percent(within)}, {nearest_rank(calls, 99):.3g} s"


def long_reading(source: PrometheusSource, slo: SLO, phase: Phase, phases: list[Phase]) -> str:
    slot = math.floor(phase.end / slo.interval) * slo.interval
    if slot < phase.start:
        return "no slot"
    outcome, series = judged(source, replace(slo, window=LONG_WINDOW), slot)
    overlaps = [
        f"{other.name.split('_')[0]} {seconds:.0f} s"
        for other in phases
        if (seconds := min(other.end, slot) - max(other.start, slot - LONG_WINDOW)) > 0.5
    ]
    failing = sum(v.outcome is Outcome.FAIL for v in series)
    return f"{outcome}{f', {failing} series' if failing else ''} ({', '.join(overlaps)})"


def like_with_like(
    source: PrometheusSource, slos: list[SLO], phases: list[Phase], client: dict[tuple[str, str], list[float]]
) -> Iterator[str]:
    yield "| phase | call | limit | server: calls, within, P99 | client: calls, within, P99 | agree |"
    yield "|---|---|---|---|---|---|"
    agreed = Counter[str]()
    for phase in phases:
        end = math.floor(phase.end)
        for slo in (slo for slo in slos if slo.name in TRUTH):
            whole = replace(slo, window=end - math.ceil(phase.start), interval=1, min_events=0.0)
            for verdict in judged(source, whole, end)[1]:
                calls = client.get((phase.name, call_of(slo, dict(verdict.labels))), [])
                if verdict.good_share is None or min(len(calls), verdict.events or 0) < FEW or slo.objective is None:
                    continue
                limit = slo.objective.limit.at_most or math.inf
                theirs = sum(seconds <= limit for seconds in calls) / len(calls)
                agree = "yes" if (verdict.good_share.lower >= 0.99) == (theirs >= 0.99) else "**no**"
                agreed[agree] += 1
                yield (
                    f"| {phase.name} | {call_of(slo, dict(verdict.labels))} | {limit:g} s "
                    f"| {verdict.events:.0f}, {percent(verdict.good_share.lower)}, {p99(verdict)} "
                    f"| {len(calls)}, {percent(theirs)}, {nearest_rank(calls, 99):.3g} s | {agree} |"
                )
    yield ""
    yield f"{agreed['yes']} of {agreed.total()} agree on whether 99 % were within the limit (calls seen {FEW} times)."


def call_of(slo: SLO, labels: dict[str, str]) -> str:
    """The client's name of the calls that a series counts; status writes and the like have none."""
    path = "aggregated" if slo.name.startswith("aggregated") else "karmada"
    if labels.get("subresource"):
        return ""
    if "mutating" in slo.name:
        return f"{path} {labels['verb']} {labels['resource']}"
    return f"{path} read {labels['resource']} {slo.name.split('-')[-2]}"


def client_calls(path: Path) -> dict[tuple[str, str], list[float]]:
    """Seconds by phase and kind of call, and by phase and call."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows(path):
        kind = kind_of_call(row)
        call = f"{row['verb']} {row['resource']}" if kind == "mutating" else f"read {row['resource']} {row['scope']}"
        for name in (kind, call):
            found[row["phase"], f"{row['path']} {name}"].append(float(row["latency_s"]))
    return found


def nearest_rank(values: list[float], percentile: float) -> float:
    return sorted(values)[math.ceil(percentile / 100 * len(values)) - 1]


def percent(share: float) -> str:
    return f"{share * 100:.4g} %"


if __name__ == "__main__":
    main()
