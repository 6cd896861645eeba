"""A stretch as a report: its verdicts and its phases' verdicts, put into the shape that the definition gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sloagent.app import assess
from sloagent.app.agent_settings import resolved
from sloagent.app.assess import Stretch
from sloagent.app.wiring import Agent
from sloagent.config.load import load_settings
from sloagent.config.shipped import shipped_directory
from sloagent.errors import ConfigError, SloagentError
from sloagent.model.run import Run
from sloagent.model.verdict import RangeSummary
from sloagent.report.content import Evaluated, Report, content
from sloagent.report.definition import Definition
from sloagent.report.render import render

BUILTIN = "builtin:"


def report(agent: Agent, stretch: Stretch, summaries: Sequence[RangeSummary], run: Run) -> Report:
    """The report of what was judged, from what the store holds. Raises ConfigError for the definition, StoreError."""
    evaluated = [
        Evaluated(
            whole=summary,
            phases=tuple(assess.summary(agent.cycle, summary.slo, stretch.phase(phase)) for phase in stretch.phases),
            slots=assess.recorded_slots(agent.cycle, summary.slo, stretch),
            expected=stretch.slots(summary.slo),
            counted=(counted := stretch.counted(summary.slo)),
            missing=assess.lacking(agent.cycle, summary.slo, counted),
        )
        for summary in summaries
    ]
    return content(
        run, stretch.span, agent.sets, evaluated, definition(agent),
        version=agent.source.version(), url=agent.settings.prometheus.url, curl=agent.source.curl,
    )  # fmt: skip


def definition(agent: Agent) -> Definition:
    """The report definition that the configuration names: a shipped one, or a file. Raises ConfigError."""
    name = agent.settings.report.definition
    if not name.startswith(BUILTIN):
        return load_settings(resolved(name, agent.configuration), Definition)
    shipped = {path.stem: path for path in sorted(shipped_directory("reports").glob("*.yaml"))}
    if name.removeprefix(BUILTIN) not in shipped:
        raise ConfigError(
            f"no shipped report definition is named {name}",
            hint=f"there are: {', '.join(BUILTIN + n for n in shipped)}",
        )
    return load_settings(shipped[name.removeprefix(BUILTIN)], Definition)


def write(made: Report, directory: Path, formats: Sequence[str], languages: Sequence[str]) -> list[Path]:
    """Write the files of the report; each appears whole or not at all. Raises SloagentError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return render(made, directory, formats, templates=shipped_directory("reports"), languages=languages)
    except OSError as error:
        raise SloagentError(
            f"the report cannot be written to {directory}: {error.strerror or error}",
            hint="name another directory with -o",
        ) from error
