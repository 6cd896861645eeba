"""`sloagent runs`: the life of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from sloagent.app import runs
from sloagent.app.run_data import document
from sloagent.app.times import now, stamp
from sloagent.cli import options
from sloagent.cli.times import Time
from sloagent.config.problem import printable
from sloagent.model.run import Run
from sloagent.store import Store

if TYPE_CHECKING:  # most of these commands only look into the store
    from sloagent.model.record import RunRecord

T = TypeVar("T")
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)


@click.group(epilog="Example: sloagent runs start -c sloagent.yaml v1.19-soak --label version=1.19")
def command() -> None:
    """The life of a run: a named stretch of time with labels, phases and exclusions."""


@command.command("list", epilog="Example: sloagent runs list -c sloagent.yaml")
@options.configuration
@_FORMAT
def list_runs(configuration: Path, form: str) -> None:
    """List all runs, oldest first."""
    there = _with_store(configuration, runs.listed)
    if form == "json":
        click.echo(_json(there))
        return
    for run, imported in there:
        click.echo(_line(run, imported))
    if not there:
        click.echo(f"no run yet; {runs.START_ONE}", err=True)


@command.command(epilog="Example: sloagent runs start -c sloagent.yaml soak-7 --label mode=push")
@options.configuration
@click.argument("name")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", help="Such as version=1.19 or mode=push; may be repeated."
)
@click.option("--at", "at", type=Time(), default="now", show_default=True, help="When it began: RFC 3339, or relative.")
def start(configuration: Path, name: str, labels: tuple[str, ...], at: datetime) -> None:
    """Begin a run. It goes on until `sloagent runs stop`."""
    pairs = [_pair(label) for label in labels]
    if len(dict(pairs)) < len(pairs):
        raise click.UsageError("a label is given twice")
    click.echo(_line(_with_store(configuration, lambda store: runs.start(store, name, dict(pairs), at, now()))))


@command.command(epilog="Example: sloagent runs stop -c sloagent.yaml soak-7")
@options.configuration
@click.argument("name")
@click.option("--at", "at", type=Time(), default="now", show_default=True, help="When it ended: RFC 3339, or relative.")
def stop(configuration: Path, name: str, at: datetime) -> None:
    """End a run."""
    click.echo(_line(_with_store(configuration, lambda store: runs.stop(store, name, at, now()))))


@command.command(epilog="Example: sloagent runs phase -c sloagent.yaml soak-7 warm-up --from -20m --to -10m")
@options.configuration
@click.argument("name")
@click.argument("phase_name", metavar="PHASE")
@click.option("--note", default="", help="What was done in it.")
@options.time_range
def phase(
    configuration: Path, name: str, phase_name: str, note: str, start: datetime | None, end: datetime | None
) -> None:
    """Name a part of a run. The report judges each phase by itself, too.

    Without --from it begins where the last phase ended, or the run began; without --to it ends now.
    """
    _print_whole(
        _with_store(configuration, lambda store: runs.add_phase(store, name, phase_name, start, end, note, now()))
    )


@command.command(epilog="Example: sloagent runs exclude -c sloagent.yaml soak-7 --from -20m --to -10m --reason chaos")
@options.configuration
@click.argument("name")
@click.option("--reason", required=True, help="Why it does not count; the report shows it.")
@options.time_range
def exclude(configuration: Path, name: str, reason: str, start: datetime | None, end: datetime | None) -> None:
    """Leave a stretch out of a run. Windows that touch it do not count; the report shows it with the reason."""
    if start is None:
        raise click.UsageError("--from is needed, such as --from -20m")
    _print_whole(_with_store(configuration, lambda store: runs.exclude(store, name, start, end, reason, now())))


@command.command(epilog="Example: sloagent runs show -c sloagent.yaml soak-7")
@options.configuration
@click.argument("name")
@_FORMAT
def show(configuration: Path, name: str, form: str) -> None:
    """Show a run with its labels, phases and exclusions."""
    run, imported = _with_store(configuration, lambda store: runs.shown(store, name))
    if form == "json":
        click.echo(_json([(run, imported)]))
    else:
        _print_whole(run, imported)


@command.command(epilog="Example: sloagent runs export -c sloagent.yaml soak-7 -o soak-7.json.gz")
@options.configuration
@click.argument("name")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), metavar="FILE", required=True,
    help="Write FILE, which ends with .json, or with .json.gz to be packed.",
)  # fmt: skip
def export(configuration: Path, name: str, target: Path) -> None:
    """Write a run into one file that can be carried away.

    It holds everything that a report needs, so that neither the store nor Prometheus is asked again. What the store lacks
    is evaluated first, as for a report.
    """
    from sloagent.app import run_file

    if not target.name.endswith((".json", ".json.gz")):
        raise click.UsageError(f"-o {target}: a run file is JSON, so end its name with .json or .json.gz")
    if target.exists():
        raise click.UsageError(f"{target} exists already; name another file")
    record = _with_store(configuration, lambda store: run_file.imported(store, name)) or _recorded(configuration, name)
    run_file.write(record, target)
    click.echo(str(target))


def _recorded(configuration: Path, name: str) -> RunRecord:
    from sloagent.app.wiring import open_agent
    from sloagent.cli import judging

    with open_agent(configuration) as agent:
        record = judging.recorded(agent, agent.slos, *judging.run_named(agent, name))
    judging.say_trouble({one.slo: one.trouble for one in record.slos if one.trouble})
    return record


@command.command("import", epilog="Example: sloagent runs import -c sloagent.yaml karmada-1.3.yaml soak-7.json.gz")
@options.configuration
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def import_runs(configuration: Path, files: tuple[Path, ...]) -> None:
    """Bring runs in from files, exported or written by hand.

    Reports and comparisons then find them by name. They stay as their files say. All of them are brought in, or none where
    anything is wrong with one.
    """
    from sloagent.app import imported_runs, run_file

    records = run_file.read_all(files)

    def keep(store: Store) -> list[bool]:
        return imported_runs.keep(store, records)

    for record, new in zip(records, _with_store(configuration, keep), strict=True):
        click.echo(_line(record.run, imported=True))
        if not new:
            click.echo(f"{printable(record.run.name)} was imported before, with the same content", err=True)


def _with_store(configuration: Path, work: Callable[[Store], T]) -> T:
    from sloagent.app.wiring import open_store

    with closing(open_store(configuration)) as store:
        return work(store)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise click.UsageError(f"a label is written NAME=VALUE; found `{text}`")
    return name, value


def _json(there: Sequence[tuple[Run, bool]]) -> str:
    return json.dumps(document(there), indent=2)


def _print_whole(run: Run, imported: bool = False) -> None:
    click.echo(_line(run, imported))
    for one in run.phases:
        note = f"{one.name}  {one.note}".rstrip()
        click.echo(f"  phase     {stamp(one.range.start)}  {stamp(one.range.end)}  {printable(note)}")
    for hole in run.exclusions:
        click.echo(f"  excluded  {stamp(hole.range.start)}  {stamp(hole.range.end)}  {printable(hole.reason)}")


def _line(run: Run, imported: bool = False) -> str:
    end = stamp(run.end) if run.end else "goes on"
    labels = " ".join(f"{name}={value}" for name, value in run.labels)
    mark = "(imported)" if imported else ""
    return printable("  ".join(filter(None, (run.name, stamp(run.start), end, labels, mark))))
