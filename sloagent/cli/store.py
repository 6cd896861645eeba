"""`sloagent store`: what is remembered, and its health."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from sloagent.cli import options
from sloagent.errors import StoreError
from sloagent.store import Store


@click.group(epilog="Example: sloagent store check -c sloagent.yaml")
def command() -> None:
    """What is remembered: as text, its health, a copy. The daemon may go on meanwhile."""


def _open(configuration: Path) -> Store:
    from sloagent.app.wiring import open_store

    return open_store(configuration, read_only=True)


@command.command(epilog='Example: sloagent store dump -c sloagent.yaml | grep \'"kind":"verdict"\'')
@options.configuration
def dump(configuration: Path) -> None:
    """Print everything that is promised, one JSON object a line, sorted by key.

    The same truth gives the same bytes, whenever and however it was asked. docs/store.md lists what is left out.
    """
    store = _open(configuration)
    try:
        # JSON is UTF-8 whatever the terminal's locale says.
        for line in store.dump():
            sys.stdout.buffer.write(line.encode() + b"\n")
        sys.stdout.flush()
    finally:
        store.close()


@command.command(epilog="Example: sloagent store check -c sloagent.yaml --format json")
@options.configuration
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(configuration: Path, form: str) -> None:
    """Read every row and say what is wrong. Exits 0 when the store is sound, 3 when it is not."""
    store = _open(configuration)
    try:
        findings = store.check()
        size = store.size_bytes()
    finally:
        store.close()
    if form == "json":
        click.echo(json.dumps({"schema": "sloagent/store-check/v1", "size_bytes": size, "findings": findings}))
    elif findings:
        for finding in findings:
            click.echo(finding)
    else:
        click.echo(f"sound · {size / 2**20:.1f} MiB")
    if findings:
        sys.exit(StoreError.exit_code)


@command.command(epilog="Example: sloagent store backup -c sloagent.yaml sloagent-2026-11-22.db")
@options.configuration
@click.argument("target", type=click.Path(path_type=Path))
def backup(configuration: Path, target: Path) -> None:
    """Write a consistent copy to TARGET, which must not exist. Use it in the store's place to restore."""
    if target.exists() or target.is_symlink():
        raise click.UsageError(f"{target} exists already; a backup never replaces a file, choose another name")
    if not target.absolute().parent.is_dir():
        raise click.UsageError(f"there is no directory {target.parent} to write the backup to")
    store = _open(configuration)
    try:
        store.backup(target)
    finally:
        store.close()
    click.echo(f"{target} · {target.stat().st_size / 2**20:.1f} MiB", err=True)
