"""From a run file that a person wrote to a record: units resolved, numbers that contradict each other told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any

from sloagent import units
from sloagent.config.document import Document, Path, Value
from sloagent.config.facts import written
from sloagent.config.findings import Findings
from sloagent.config.load import raise_for
from sloagent.config.problem import Problem, spelling_hint
from sloagent.config.repair import read_to_the_end
from sloagent.config.run_spec import FACTS_HEAD, PERCENTILES, RunFileSpec, StatedSeriesSpec, StatedSLOSpec
from sloagent.config.to_model import STAND_INS as SLO_STAND_INS
from sloagent.config.to_model import text
from sloagent.config.to_objective import Reader
from sloagent.model.facts import NO_FACTS, Facts
from sloagent.model.record import Part, Peer, RunRecord, SLORecord, Stated
from sloagent.model.run import Run
from sloagent.model.slo import SLI, SLO, Labels, LatencySLI, SLOSet, Status, ValueSLI
from sloagent.model.tally import Tally
from sloagent.model.timerange import TimeRange

KIND = "run"
WINDOW_SECONDS = 300
INTERVAL_SECONDS = 60
"""Of an SLO as its file would have it; stated numbers have no windows."""
_SLO: dict[str, Value] = {"name": "x", "objective": "tbd"}
_STAND_INS: dict[str, Value] = {
    **{name: SLO_STAND_INS[name] for name in ("en", "match", "overrides[]")},
    "schema": "sloagent/run/v1",
    "written_by_hand": True,
    "run": {"name": "x", "from": "2000-01-01T00:00:00Z", "to": "2000-01-02T00:00:00Z"},
    "from": "2000-01-01T00:00:00Z",
    "to": "2000-01-02T00:00:00Z",
    "slos": [_SLO],
    "slos[]": _SLO,
    "series[]": {},
    "title": "x",
    **_SLO,
}


def to_record(document: Document) -> RunRecord:
    """The record. Raises ConfigError with every problem of the file."""
    findings = Findings(document)
    if document.value is None and not document.problems:
        findings.add((), "yaml/empty", "the file holds nothing", "docs/run-file.md shows one")
    spec: Any = None
    if document.value is not None:
        spec = read_to_the_end(
            RunFileSpec, document.value, findings, kind=KIND, directory=FilePath(), stand_ins=_STAND_INS
        )
    if spec is None:
        raise_for(findings.problems)
    if not spec.written_by_hand:
        hint = "write true; what a program measured is exported by `sloagent runs export`"
        findings.add(("written_by_hand",), "run/value", "a run file without a hash was written by hand", hint)
    start, end = getattr(spec.run, "from"), spec.run.to
    if end <= start:
        findings.add(("run", "to"), "run/value", "the run ends before it begins", "exchange from and to")
    slos = [_record(slo, ("slos", place), findings) for place, slo in enumerate(spec.slos)]
    _no_name_twice([one.slo for one in slos], findings)
    for name in spec.sets:
        if name not in {slo.set for slo in spec.slos}:
            hint = spelling_hint(name, {slo.set for slo in spec.slos}, what="the sets of the SLOs are")
            findings.add(("sets", name), "run/value", f'no SLO is of the set "{name}"', hint, key=True)
    facts, problems = _facts(findings)
    raise_for([*findings.problems, *problems])
    return RunRecord(
        run=Run(spec.run.name, start, end, _labels(spec.run.labels)),
        span=TimeRange(start, end),
        sets=tuple(
            SLOSet(
                name,
                text(spec.sets[name].title if name in spec.sets else None, name),
                own,
                FilePath(document.path).name,
            )
            for name in dict.fromkeys(one.slo.set for one in slos)
            if (own := tuple(one.slo for one in slos if one.slo.set == name))
        ),
        slos=tuple(slos),
        peer=Peer("", "", ""),
        facts=facts,
        written_by_hand=True,
    )


def _record(spec: StatedSLOSpec, path: Path, findings: Findings) -> SLORecord:
    names = dict.fromkeys(name for series in spec.series for name in series.labels)
    sli: SLI = ValueSLI("", spec.unit) if spec.unit else LatencySLI((), "", tuple(names))
    unit_is_wrong = _unit_is_wrong(spec.unit, (*path, "unit"), findings)
    objective = None
    if spec.objective is not None:
        reader = Reader(sli, {}, findings, unit_is_wrong=unit_is_wrong)
        objective = reader.read(spec.objective, (*path, "objective"))
    slo = SLO(
        spec.set, spec.name, sli, objective, INTERVAL_SECONDS, WINDOW_SECONDS, text(spec.title, spec.name),
        Status(spec.status), spec.section, text(spec.note, ""),
        place=f"{FilePath(findings.document.path).name}:{findings.document.mark((*path, 'name')).line}",
    )  # fmt: skip
    stated: dict[Labels, Stated] = {}
    for place, series in enumerate(spec.series):
        here = (*path, "series", place)
        labels = _labels(series.labels)
        if labels in stated:
            findings.add(here, "run/value", "another series has the same labels", "give each series its own")
        stated[labels] = Stated() if unit_is_wrong else _series(sli, series, here, findings)
    return SLORecord(slo, Part(0, 0, Tally(), None), stated=stated)


def _facts(findings: Findings) -> tuple[Facts, Sequence[Problem]]:
    """What the file says of the test bed, read as a facts file would be; and what is wrong with it."""
    block, load = findings.at(("facts",)), findings.at(("facts", "load"))
    named = [
        ("facts", "load", place, "file")
        for place, entry in enumerate(load if isinstance(load, list) else [])
        if isinstance(entry, dict) and "file" in entry
    ]
    for path in named:
        findings.add(
            path, "run/value", "a run file is read where its neighbours are not", "write the text itself", key=True
        )
    if named or not isinstance(block, dict):
        return NO_FACTS, ()
    document = findings.document
    inner = replace(
        document, value={**FACTS_HEAD, **block}, problems=(),
        keys={path[1:]: mark for path, mark in document.keys.items() if path[:1] == ("facts",)},
        values={path[1:]: mark for path, mark in document.values.items() if path[:1] == ("facts",)},
    )  # fmt: skip
    found, problems = written(inner, FilePath())
    return NO_FACTS if found is None else Facts(written=found), problems


def _unit_is_wrong(unit: str, path: Path, findings: Findings) -> bool:
    try:
        if unit:
            units.check_unit(unit)
    except units.UnitError as error:
        hint = "write bytes, cores, seconds, ratio or a word such as goroutines; the numbers may have any unit of it"
        findings.add(path, "sli/unit", error.summary, hint)
        return True
    return False


def _series(sli: SLI, spec: StatedSeriesSpec, path: Path, findings: Findings) -> Stated:
    unit = sli.unit if isinstance(sli, ValueSLI) else "seconds"

    def number(name: str) -> float | None:
        written = getattr(spec, name)
        try:
            return None if written is None else units.quantity(written, unit)
        except units.UnitError as error:
            findings.add((*path, name), "run/unit", error.summary, error.hint)
            return None

    found = {name: number(name) for name in ("min", *PERCENTILES, "max", "mean", "stddev", "value")}
    _fits_its_kind(sli, path, findings)
    _in_order([name for name in ("min", *PERCENTILES, "max") if found[name] is not None], found, path, findings)
    for part in ("count", "errors"):
        if spec.calls is not None and (counted := getattr(spec, part)) is not None and counted > spec.calls:
            findings.add(
                (*path, part),
                "run/value",
                f"{part} is {counted:,.15g} of {spec.calls:,.15g} calls",
                "exchange them, or mend one",
            )
    return Stated(
        percentiles={percent: value for name, percent in PERCENTILES.items() if (value := found[name]) is not None},
        value=found["value"], count=spec.count, calls=spec.calls, errors=spec.errors,
        minimum=found["min"], mean=found["mean"], deviation=found["stddev"], maximum=found["max"],
    )  # fmt: skip


def _fits_its_kind(sli: SLI, path: Path, findings: Findings) -> None:
    if isinstance(sli, LatencySLI):
        if findings.is_written((*path, "value")):
            hint = "write p50, p90 or p99, or say which unit the value has: unit: bytes"
            findings.add((*path, "value"), "run/value", "a latency has percentiles, and no value", hint, key=True)
        return
    for name in PERCENTILES:
        if findings.is_written((*path, name)):
            hint = "write value, or leave unit out"
            findings.add(
                (*path, name), "run/value", "an SLO with a unit has a value, and no percentiles", hint, key=True
            )


def _in_order(names: Sequence[str], found: dict[str, float | None], path: Path, findings: Findings) -> None:
    for low, high in pairwise(names):
        if (found[low] or 0.0) > (found[high] or 0.0):
            shown = [findings.at((*path, name)) for name in (low, high)]
            findings.add(
                (*path, high), "run/value", f"{high} of {shown[1]} is below {low} of {shown[0]}", "mend one of them"
            )


def _labels(written: dict[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in written.items() if value))


def _no_name_twice(slos: Sequence[SLO], findings: Findings) -> None:
    first: dict[tuple[str, str], int] = {}
    for place, slo in enumerate(slos):
        key = (slo.set, slo.name)
        if key in first and not findings.is_unread(("slos", place, "name")):
            line = findings.document.mark(("slos", first[key], "name")).line
            findings.add(
                ("slos", place, "name"), "run/value",
                f'the name "{slo.name}" is taken in this set: the first is in line {line}',
                "give each SLO of a set its own name",
            )  # fmt: skip
        first.setdefault(key, place)
