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
    """Print what is remembered: one JSON object a line, sorted by key.

    The same facts give the same bytes, whenever and however Prometheus was asked. docs/store.md lists the fields, and
    what is left out.
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
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
def check(configuration: Path, form: str) -> None:
    """Read every row and say what is wrong.

    Exits with 0 when the store is sound, with 3 when it is not.
    """
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
    """Write a consistent copy of the store to TARGET.

    TARGET must not exist. To restore, stop the daemon and put the copy in the store's place; docs/store.md says how.
    """
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
