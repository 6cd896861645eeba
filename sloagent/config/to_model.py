"""From an SLO file as written to an SLO set as meant: defaults, parameters and units resolved, impossible promises told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TypeVar

from sloagent import units
from sloagent.config import to_alerts, to_objective, to_sli
from sloagent.config.document import Document, Path, Value
from sloagent.config.findings import Findings
from sloagent.config.parameters import NAME, RESERVED
from sloagent.config.problem import Problem, spelling_hint
from sloagent.config.repair import read_to_the_end
from sloagent.config.slo_spec import DefaultsSpec, LocalizedText, SLOSetSpec, SLOSpec
from sloagent.model.slo import SLO, Evaluate, LatencySLI, SLOSet, Status, Text, ValueSLI

KIND = "slo"
_SLO: dict[str, Value] = {"name": "x", "sli": {}, "objective": "tbd"}
STAND_INS: dict[str, Value] = {
    "apiVersion": "sloagent/v1",
    "kind": "SLOSet",
    "metadata": {"name": "x"},
    "slos": [_SLO],
    "slos[]": _SLO,
    **_SLO,
    "en": "x",
    "latency": {"histogram": "x"},
    "ratio": {"good": "x", "total": "x"},
    "value": {"query": "x"},
    "histogram": "x",
    "histogram[]": "x",
    "by[]": "x",
    "total": "x",
    "query": "x",
    "match": {"x": "x"},
    "overrides[]": {"match": {"x": "x"}},
}
"""What stands for a field, or an entry of a list, that is wrong or missing, so that all else is checked."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one SLO file gave: a set where nothing is wrong, and its problems where something is."""

    document: Document
    slo_set: SLOSet | None
    parameters: Mapping[str, str]
    """The parameters that the file declares, with their defaults."""
    problems: tuple[Problem, ...]


def to_model(document: Document, given: Mapping[str, Mapping[str, str]]) -> Loaded:
    """Make an SLO set of a document. `given` holds parameters by the name of the set, instead of the defaults."""
    findings = Findings(document)
    if document.value is None:
        if not document.problems:
            findings.add((), "yaml/empty", "the file holds nothing", "`sloagent init` writes a commented example")
        return Loaded(document, None, {}, findings.problems)
    spec = read_to_the_end(SLOSetSpec, document.value, findings, kind=KIND, directory=FilePath(), stand_ins=STAND_INS)
    if spec is None:
        return Loaded(document, None, {}, findings.problems)
    name = spec.metadata.name
    declared = dict(spec.parameters)
    for parameter in declared:
        _check_name(parameter, findings)
    parameters = declared | {k: v for k, v in given.get(name, {}).items() if k in declared}
    for time, seconds in (("interval", spec.defaults.interval), ("window", spec.defaults.window)):
        _is_whole(time, seconds, ("defaults", time), findings)
    written = _Written(name, spec.defaults, parameters, declared)
    slos = [_slo(entry, ("slos", at), written, findings) for at, entry in enumerate(spec.slos)]
    _no_name_twice(document, findings)
    if findings.problems:
        return Loaded(document, None, declared, findings.problems)
    place = f"{document.path}:{document.mark(('metadata', 'name')).line}"
    return Loaded(document, SLOSet(name, text(spec.metadata.title, name), tuple(slos), place), declared, ())


@dataclass(frozen=True, slots=True)
class _Written:
    """What the SLOs of one file share."""

    set_name: str
    defaults: DefaultsSpec
    parameters: Mapping[str, str]
    declared: Mapping[str, str]
    """The same without what the agent's file put in its place."""


def _slo(spec: SLOSpec, path: Path, shared: _Written, findings: Findings) -> SLO:
    """The SLO; where something is wrong with it, what could be read, and the findings say that it must not be used."""
    defaults, set_name = shared.defaults, shared.set_name
    interval, window = _times(spec, path, defaults, findings)
    sli = to_sli.Reader(window, shared.parameters, findings).read(spec.sli, (*path, "sli"))
    objective = declared = None
    if spec.objective is not None:
        unit_is_wrong = findings.is_noted((*path, "sli", "value", "unit"))
        reader = to_objective.Reader(sli, shared.parameters, findings, unit_is_wrong=unit_is_wrong)
        objective = reader.read(spec.objective, (*path, "objective"))
        if shared.parameters != shared.declared:
            reader = to_objective.Reader(sli, shared.declared, Findings(findings.document), unit_is_wrong=unit_is_wrong)
            limit = reader.read(spec.objective, (*path, "objective")).limit
            declared = limit if limit != objective.limit else None
    if findings.is_written((*path, "min_events")) and isinstance(sli, ValueSLI):
        findings.add(
            (*path, "min_events"), "slo/min-events", "a value has no events to count", "leave min_events out", key=True
        )
    evaluate = Evaluate(_or(spec.evaluate, defaults.evaluate))
    if evaluate is Evaluate.RECORDED and isinstance(sli, LatencySLI) and sli.native:
        here = (*path, "evaluate") if spec.evaluate is not None else ("defaults", "evaluate")
        summary = f'native histograms are not recorded, and "{spec.name}" has one'
        findings.add(here, "slo/evaluate", summary, "write evaluate: raw for this SLO")
    return SLO(
        set=set_name,
        name=spec.name,
        sli=sli or ValueSLI("", ""),
        objective=objective,
        interval=interval,
        window=window,
        title=text(spec.title, spec.name),
        status=Status(spec.status),
        section=spec.section,
        note=text(spec.note, ""),
        min_events=0.0 if isinstance(sli, ValueSLI) else _or(spec.min_events, defaults.min_events),
        allow_partial=_or(spec.allow_partial, defaults.allow_partial),
        place=f"{findings.document.path}:{findings.document.mark((*path, 'name')).line}",
        declared=declared,
        evaluate=evaluate,
        alerts=to_alerts.alerts_of(
            [(defaults.alerts, ("defaults", "alerts")), (spec.alerts, (*path, "alerts"))], findings
        ),
    )


def _times(spec: SLOSpec, path: Path, defaults: DefaultsSpec, findings: Findings) -> tuple[int, int]:
    """The interval and the window in whole seconds; (60, 300) where they are wrong."""
    times: dict[str, int] = {}
    for name, own, general in (
        ("interval", spec.interval, defaults.interval),
        ("window", spec.window, defaults.window),
    ):
        seconds = _or(own, general)
        here = (*path, name) if findings.is_written((*path, name)) else ("defaults", name)
        if findings.is_unread(here):
            continue
        if _is_whole(name, seconds, here, findings):
            times[name] = int(seconds)
    interval, window = times.get("interval", 60), times.get("window", 300)
    if len(times) == 2 and window % interval:
        here = _place_of_times(spec, path, defaults)
        below = window // interval * interval
        near = " or ".join(units.written_duration(float(s)) for s in (below, below + interval) if s)
        findings.add(
            here, "time/window",
            f"a window of {units.written_duration(float(window))} is no whole multiple of the interval of "
            f"{units.written_duration(float(interval))}",
            f"write window: {near}",
        )  # fmt: skip
    return interval, window


def _is_whole(name: str, seconds: float, path: Path, findings: Findings) -> bool:
    """Whether the interval or window is of whole seconds; if not, that is noted."""
    if seconds >= 1 and seconds == int(seconds):
        return True
    written = units.written_duration(seconds)
    findings.add(path, f"time/{name}", f"the {name} is {written}, and slots are whole seconds", f"write {name}: 1m")
    return False


def _place_of_times(spec: SLOSpec, path: Path, defaults: DefaultsSpec) -> Path:
    """Where a window that does not fit its interval is best changed."""
    if spec.window is not None or spec.interval is not None:
        return (*path, "window" if spec.window is not None else "interval")
    return ("defaults", "window" if "window" in defaults.model_fields_set else "interval")


def _check_name(parameter: str, findings: Findings) -> None:
    if parameter in RESERVED:
        findings.add(
            ("parameters", parameter),
            "parameter/name",
            f"${parameter} is reserved: it is the SLO's own window",
            "choose another name",
            key=True,
        )
    elif not NAME.fullmatch(parameter):
        findings.add(
            ("parameters", parameter), "parameter/name", f'"{parameter}" is no name of a parameter',
            "write lower-case letters, digits and underscores", key=True,
        )  # fmt: skip


def _no_name_twice(document: Document, findings: Findings) -> None:
    """From the document, so that an SLO that is wrong otherwise counts too."""
    first: dict[str, int] = {}
    written = document.at(("slos",))
    for at in range(len(written) if isinstance(written, list) else 0):
        name = document.at(("slos", at, "name"))
        if not isinstance(name, str):
            continue
        if name in first:
            line = document.mark(("slos", first[name], "name")).line
            findings.add(
                ("slos", at, "name"), "slo/duplicate", f'the name "{name}" is taken: the first is at {document.path}:{line}',
                "give each SLO of a set its own name",
            )  # fmt: skip
        first.setdefault(name, at)


def unknown_parameters(
    given: Mapping[str, Mapping[str, str]], sets: Mapping[str, Mapping[str, str]]
) -> list[tuple[Path, str, str]]:
    """What of `given` no set declares: its path under `parameters`, the finding, the hint."""
    wrong: list[tuple[Path, str, str]] = []
    for set_name, values in given.items():
        if set_name not in sets:
            hint = spelling_hint(set_name, sets, what="the loaded sets are")
            wrong.append(((set_name,), f'no SLO set named "{set_name}" is loaded', hint))
            continue
        for name in values:
            if name not in sets[set_name]:
                hint = spelling_hint(name, sets[set_name], what="its parameters are") or "it declares none"
                wrong.append(((set_name, name), f'the set "{set_name}" has no parameter "{name}"', hint))
    return wrong


def text(written: LocalizedText | None, otherwise: str) -> Text:
    """The text as it is meant; `otherwise` where none is written."""
    return Text(written.en.strip(), written.zh.strip()) if written else Text(otherwise)


def _or(own: T | None, general: T) -> T:
    return general if own is None else own
