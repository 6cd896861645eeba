"""`sloagent runs`: the life of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from sloagent.cli import options
from sloagent.cli.times import Time, stamp
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.timerange import TimeRange
from sloagent.store import Store

SCHEMA = "sloagent/runs/v1"
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
START_ONE = "start one with `sloagent runs start NAME`"


@click.group(epilog="Example: sloagent runs start -c sloagent.yaml v1.19-soak --label version=1.19")
def command() -> None:
    """The life of a run: a named stretch of time with labels, phases and exclusions."""


def _open(configuration: Path) -> Store:
    from sloagent.app.wiring import open_store

    return open_store(configuration)


def find(store: Store, name: str) -> Run:
    """The run of this name; UsageError with the names there are."""
    runs = {run.name: run for run in store.runs()}
    if name not in runs:
        there = f"there are: {', '.join(runs)}" if runs else f"there is none yet; {START_ONE}"
        raise click.UsageError(f"no run is named `{name}`; {there}")
    return runs[name]


@command.command("list", epilog="Example: sloagent runs list -c sloagent.yaml")
@options.configuration
@_FORMAT
def list_runs(configuration: Path, form: str) -> None:
    """List all runs, oldest first."""
    store = _open(configuration)
    try:
        runs = store.runs()
    finally:
        store.close()
    if form == "json":
        click.echo(_document(runs))
        return
    for run in runs:
        click.echo(_line(run))
    if not runs:
        click.echo(f"no run yet; {START_ONE}", err=True)


@command.command(epilog="Example: sloagent runs start -c sloagent.yaml soak-7 --label mode=push")
@options.configuration
@click.argument("name")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", help="Such as version=1.19 or mode=push; may be repeated."
)
@click.option("--at", "at", type=Time(), default="now", show_default=True, help="When it began: RFC 3339, or relative.")
def start(configuration: Path, name: str, labels: tuple[str, ...], at: datetime) -> None:
    """Begin a run. It goes on until `sloagent runs stop`."""
    _check_name("a run", name)
    _check_past("--at", at)
    pairs = dict(_pair(label) for label in labels)
    store = _open(configuration)
    try:
        if any(run.name == name for run in store.runs()):
            raise click.UsageError(f"a run named `{name}` exists already; choose another name, runs are never replaced")
        run = Run(name, at, None, labels=tuple(sorted(pairs.items())))
        store.save_run(run)
    finally:
        store.close()
    click.echo(_line(run))


@command.command(epilog="Example: sloagent runs stop -c sloagent.yaml soak-7")
@options.configuration
@click.argument("name")
@click.option("--at", "at", type=Time(), default="now", show_default=True, help="When it ended: RFC 3339, or relative.")
def stop(configuration: Path, name: str, at: datetime) -> None:
    """End a run."""
    _check_past("--at", at)
    store = _open(configuration)
    try:
        run = find(store, name)
        if run.end is not None:
            raise click.UsageError(f"`{name}` ended at {stamp(run.end)} already")
        if at <= run.start:
            raise click.UsageError(f"`{name}` began at {stamp(run.start)}; it cannot end before")
        for what, part in _parts(run):
            if part.end > at:
                raise click.UsageError(f"{what} of `{name}` lasts until {stamp(part.end)}; the run cannot end before")
        run = replace(run, end=at)
        store.save_run(run)
    finally:
        store.close()
    click.echo(_line(run))


@command.command(epilog="Example: sloagent runs phase -c sloagent.yaml soak-7 warm-up --from -20m --to -10m")
@options.configuration
@click.argument("name")
@click.argument("phase_name", metavar="PHASE")
@click.option("--note", default="", help="What was done in it.")
@options.time_range
def phase(
    configuration: Path, name: str, phase_name: str, note: str, start: datetime | None, end: datetime | None
) -> None:
    """Name a part of a run. The report judges each phase by itself, too."""
    _check_name("a phase", phase_name)
    added = Phase(phase_name, _needed(start, end), note)

    def change(run: Run) -> Run:
        if any(known.name == phase_name for known in run.phases):
            raise click.UsageError(f"`{name}` has a phase `{phase_name}` already; choose another name")
        _check_inside(run, added.range)
        return replace(run, phases=(*run.phases, added))

    _change(configuration, name, change)


@command.command(epilog="Example: sloagent runs exclude -c sloagent.yaml soak-7 --from -20m --to -10m --reason chaos")
@options.configuration
@click.argument("name")
@click.option("--reason", required=True, help="Why it does not count; the report shows it.")
@options.time_range
def exclude(configuration: Path, name: str, reason: str, start: datetime | None, end: datetime | None) -> None:
    """Leave a stretch out of a run. Windows that touch it do not count; the report shows it with the reason."""
    if not reason.strip():
        raise click.UsageError("--reason is empty; the report shows it, so say why")
    added = Exclusion(_needed(start, end), reason)

    def change(run: Run) -> Run:
        _check_inside(run, added.range)
        return replace(run, exclusions=(*run.exclusions, added))

    _change(configuration, name, change)


@command.command(epilog="Example: sloagent runs show -c sloagent.yaml soak-7")
@options.configuration
@click.argument("name")
@_FORMAT
def show(configuration: Path, name: str, form: str) -> None:
    """Show a run with its phases and exclusions."""
    store = _open(configuration)
    try:
        run = find(store, name)
    finally:
        store.close()
    if form == "json":
        click.echo(_document([run]))
        return
    _print_whole(run)


def _print_whole(run: Run) -> None:
    click.echo(_line(run))
    for one in run.phases:
        click.echo(f"  phase     {stamp(one.range.start)}  {stamp(one.range.end)}  {one.name}  {one.note}".rstrip())
    for hole in run.exclusions:
        click.echo(f"  excluded  {stamp(hole.range.start)}  {stamp(hole.range.end)}  {hole.reason}")


def _change(configuration: Path, name: str, change: Callable[[Run], Run]) -> None:
    store = _open(configuration)
    try:
        run = change(find(store, name))
        store.save_run(run)
    finally:
        store.close()
    _print_whole(run)


def _needed(start: datetime | None, end: datetime | None) -> TimeRange:
    if start is None:
        raise click.UsageError("--from is needed, such as --from -20m")
    _check_past("--to", end)
    end = end or datetime.now(UTC)
    if end <= start:
        raise click.UsageError("--from must be earlier than --to")
    return TimeRange(start, end)


def _check_name(what: str, name: str) -> None:
    if not name or name != name.strip() or not name.isprintable():
        raise click.UsageError(f"{what} needs a name of visible characters; found {name!r}")


def _check_past(option: str, moment: datetime | None) -> None:
    if moment is not None and moment > datetime.now(UTC):
        raise click.UsageError(f"{option} {stamp(moment)} lies in the future")


def _check_inside(run: Run, part: TimeRange) -> None:
    if part.start < run.start or (run.end is not None and part.end > run.end):
        lasts = f"lasted until {stamp(run.end)}" if run.end else "goes on"
        raise click.UsageError(f"`{run.name}` began at {stamp(run.start)} and {lasts}; this lies outside")


def _parts(run: Run) -> list[tuple[str, TimeRange]]:
    phases = [(f"the phase `{phase.name}`", phase.range) for phase in run.phases]
    return phases + [("an exclusion", hole.range) for hole in run.exclusions]


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise click.UsageError(f"a label is written NAME=VALUE; found `{text}`")
    return name, value


def _document(runs: Sequence[Run]) -> str:
    return json.dumps({"schema": SCHEMA, "runs": [_data(run) for run in runs]}, indent=2)


def _data(run: Run) -> dict[str, object]:
    """A run as JSON: times in RFC 3339, `to` null while it goes on."""
    return {
        "name": run.name,
        "from": stamp(run.start),
        "to": stamp(run.end) if run.end else None,
        "labels": dict(run.labels),
        "phases": [
            {"name": p.name, "from": stamp(p.range.start), "to": stamp(p.range.end), "note": p.note} for p in run.phases
        ],
        "exclusions": [
            {"from": stamp(e.range.start), "to": stamp(e.range.end), "reason": e.reason} for e in run.exclusions
        ],
    }


def _line(run: Run) -> str:
    end = stamp(run.end) if run.end else "goes on"
    labels = " ".join(f"{name}={value}" for name, value in run.labels)
    return f"{run.name}  {stamp(run.start)}  {end}  {labels}".rstrip()
