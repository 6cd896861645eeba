"""From a record to the report's files: its definition, its baseline, its templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sloagent.app import assess
from sloagent.app.agent_settings import ReportSettings, resolved
from sloagent.app.assess import Stretch
from sloagent.app.facts import facts_of
from sloagent.app.recording import record_of
from sloagent.app.wiring import Agent
from sloagent.config.findings import Findings
from sloagent.config.load import load_settings, raise_for, read_document
from sloagent.config.problem import spelling_hint
from sloagent.config.shipped import shipped_directory
from sloagent.errors import ConfigError, SloagentError
from sloagent.model.record import RunRecord
from sloagent.model.run import Run
from sloagent.model.slo import SLO
from sloagent.report.content import Report, content
from sloagent.report.definition import Block, ChartSpec, Definition
from sloagent.report.render import Templates, render

BUILTIN = "builtin:"

_Place = tuple[str | int, ...]


def recorded(
    agent: Agent, slos: Sequence[SLO], run: Run, stretch: Stretch, progress: Callable[[int], None] = lambda _: None
) -> RunRecord:
    """The record of a run: what the store lacks of it is evaluated first. Raises StoreError, ConfigError."""
    trouble = assess.fill(agent, slos, stretch, progress=progress)
    return record_of(agent, slos, run, stretch, facts_of(agent, run, stretch.span), trouble)


def report(record: RunRecord, chosen: Definition, baseline: RunRecord | None = None) -> Report:
    """The report of a record, beside a baseline if there is one."""
    return content(record, chosen, baseline)


def definition(settings: ReportSettings, configuration: Path, slos: Sequence[SLO]) -> Definition:
    """The report definition that the configuration names: a shipped one, or a file.

    Raises ConfigError, also where a file of the user's draws an SLO, or a percentile, that there is not.
    """
    name = settings.definition
    if name.startswith(BUILTIN):
        return load_settings(_shipped(name), Definition)
    path = resolved(name, configuration)
    found = load_settings(path, Definition)
    findings = Findings(read_document(path))
    for place, block in _blocks(found):
        if block.chart is not None:
            _check_chart(findings, (*place, "chart"), block.chart, slos)
        _check_results(findings, (*place, "results"), block.results, slos)
    raise_for(findings.problems)
    return found


def _blocks(found: Definition) -> Iterable[tuple[_Place, Block]]:
    """Every block of a definition, and where it stands."""
    for number, section in enumerate(found.sections):
        for index, block in enumerate(section.blocks):
            yield ("sections", number, "blocks", index), block


def _check_chart(findings: Findings, place: _Place, chart: ChartSpec, slos: Sequence[SLO]) -> None:
    known = {name: slo for slo in slos for name in (slo.name, f"{slo.set}/{slo.name}")}
    named = [((*place, "slo"), chart.slo)] if chart.slo else []
    for at, name in [*named, *(((*place, "slos", n), name) for n, name in enumerate(chart.slos))]:
        if name not in known:
            hint = spelling_hint(name, known, what="there are")
            findings.add(at, "agent/value", f'there is no SLO "{name}" to draw', hint)
    if chart.slo in known:
        kept = known[chart.slo].quantiles
        hint = f"it keeps {', '.join(f'P{one:g}' for one in kept)}" if kept else "only latencies have percentiles"
        for n, percentile in enumerate(chart.percentiles):
            if percentile not in kept:
                said = f"{chart.slo} keeps no P{percentile:g}"
                findings.add((*place, "percentiles", n), "agent/value", said, hint)


def _check_results(findings: Findings, place: _Place, sections: Sequence[str], slos: Sequence[SLO]) -> None:
    there = {slo.section for slo in slos}
    for n, wanted in enumerate(sections):
        if wanted not in there:
            hint = spelling_hint(wanted, sorted(filter(None, there)), what="there are")
            findings.add((*place, n), "agent/value", f"no SLO has `section: {wanted}`", hint)


def _shipped(name: str) -> Path:
    shipped = {path.stem: path for path in sorted(shipped_directory("reports").glob("*.yaml"))}
    if name.removeprefix(BUILTIN) not in shipped:
        raise ConfigError(
            f"no shipped report definition is named {name}",
            hint=f"there are: {', '.join(BUILTIN + n for n in shipped)}",
        )
    return shipped[name.removeprefix(BUILTIN)]


def templates(settings: ReportSettings, configuration: Path) -> Templates:
    """Where templates are looked for. Raises ConfigError where the user's directory is none."""
    own = None if settings.templates is None else resolved(settings.templates, configuration)
    if own is not None and not own.is_dir():
        raise ConfigError(
            f"report.templates: {own} is no directory", hint="name a directory with report.html.j2 or others"
        )
    return Templates(shipped_directory("reports"), own)


def write(
    made: Report, directory: Path, formats: Sequence[str], languages: Sequence[str], used: Templates
) -> list[Path]:
    """Write the files of the report; each appears whole or not at all. Raises SloagentError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return render(made, directory, formats, templates=used, languages=languages)
    except OSError as error:
        raise SloagentError(
            f"the report cannot be written to {directory}: {error.strerror or error}",
            hint="name another directory with -o",
        ) from error
