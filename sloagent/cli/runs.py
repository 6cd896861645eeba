"""`sloagent runs`: the life of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from sloagent.cli import options
from sloagent.cli.times import Time, stamp
from sloagent.errors import StoreError
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.timerange import TimeRange
from sloagent.store import Store


@click.group(epilog="Example: sloagent runs start -c sloagent.yaml v1.19-soak --label version=1.19")
def command() -> None:
    """The life of a run: a named stretch of time with labels, phases and exclusions."""


def _open(configuration: Path) -> Store:
    from sloagent.app.wiring import open_store

    return open_store(configuration)


def find(store: Store, name: str) -> Run:
    """The run of this name; StoreError with the names there are."""
    runs = {run.name: run for run in store.runs()}
    if name not in runs:
        there = f"there are: {', '.join(runs)}" if runs else "there is none yet; start one with `sloagent runs start`"
        raise StoreError(f"no run is named `{name}`", hint=there)
    return runs[name]


@command.command("list", epilog="Example: sloagent runs list -c sloagent.yaml")
@options.configuration
def list_runs(configuration: Path) -> None:
    """All runs, oldest first."""
    store = _open(configuration)
    try:
        for run in store.runs():
            click.echo(_line(run))
    finally:
        store.close()


@command.command(epilog="Example: sloagent runs start -c sloagent.yaml soak-7 --label mode=push")
@options.configuration
@click.argument("name")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="May be repeated: version, mode, scale, …")
@click.option("--at", "at", type=Time(), default="now", help="When it began.")
def start(configuration: Path, name: str, labels: tuple[str, ...], at: datetime) -> None:
    """Begin a run."""
    pairs = dict(_pair(label) for label in labels)
    store = _open(configuration)
    try:
        if any(run.name == name for run in store.runs()):
            raise StoreError(
                f"a run named `{name}` exists already", hint="choose another name; runs are never replaced"
            )
        run = Run(name, at, None, labels=tuple(sorted(pairs.items())))
        store.save_run(run)
    finally:
        store.close()
    click.echo(_line(run))


@command.command(epilog="Example: sloagent runs stop -c sloagent.yaml soak-7")
@options.configuration
@click.argument("name")
@click.option("--at", "at", type=Time(), default="now", help="When it ended.")
def stop(configuration: Path, name: str, at: datetime) -> None:
    """End a run."""
    store = _open(configuration)
    try:
        run = find(store, name)
        if run.end is not None:
            raise StoreError(f"`{name}` ended at {stamp(run.end)} already")
        if at <= run.start:
            raise click.UsageError(f"`{name}` began at {stamp(run.start)}; it cannot end before")
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
    """Name a part of a run."""
    added = Phase(phase_name, _needed(start, end), note)
    _change(configuration, name, lambda run: replace(run, phases=(*run.phases, added)))


@command.command(epilog="Example: sloagent runs exclude -c sloagent.yaml soak-7 --from -20m --to -10m --reason chaos")
@options.configuration
@click.argument("name")
@click.option("--reason", required=True, help="Why it does not count; the report shows it.")
@options.time_range
def exclude(configuration: Path, name: str, reason: str, start: datetime | None, end: datetime | None) -> None:
    """Leave a stretch out of a run: windows that touch it do not count, and are shown."""
    added = Exclusion(_needed(start, end), reason)
    _change(configuration, name, lambda run: replace(run, exclusions=(*run.exclusions, added)))


@command.command(epilog="Example: sloagent runs show -c sloagent.yaml soak-7")
@options.configuration
@click.argument("name")
def show(configuration: Path, name: str) -> None:
    """A run with its phases and exclusions."""
    store = _open(configuration)
    try:
        run = find(store, name)
    finally:
        store.close()
    click.echo(_line(run))
    for one in run.phases:
        click.echo(f"  phase     {stamp(one.range.start)}  {stamp(one.range.end)}  {one.name}  {one.note}".rstrip())
    for hole in run.exclusions:
        click.echo(f"  excluded  {stamp(hole.range.start)}  {stamp(hole.range.end)}  {hole.reason}")


def _change(configuration: Path, name: str, change: Callable[[Run], Run]) -> None:
    store = _open(configuration)
    try:
        store.save_run(change(find(store, name)))
    finally:
        store.close()


def _needed(start: datetime | None, end: datetime | None) -> TimeRange:
    if start is None:
        raise click.UsageError("--from is needed")
    end = end or datetime.now(UTC)
    if end <= start:
        raise click.UsageError("--from must be earlier than --to")
    return TimeRange(start, end)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise click.UsageError(f"a label is written NAME=VALUE; found `{text}`")
    return name, value


def _line(run: Run) -> str:
    end = stamp(run.end) if run.end else "goes on"
    labels = " ".join(f"{name}={value}" for name, value in run.labels)
    return f"{run.name}  {stamp(run.start)}  {end}  {labels}".rstrip()
