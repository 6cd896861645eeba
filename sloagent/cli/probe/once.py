"""What the probes that can be tried once share: settings from options, and a CSV file of what was measured."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

import click

from sloagent.errors import SloagentError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from sloagent.settings import Settings

    S = TypeVar("S", bound=Settings)

Command = TypeVar("Command", bound=Callable[..., None])


def trust(command: Command) -> Command:
    """`--cacert FILE --insecure`, as `ca_file` and `insecure`."""
    authority = click.option(
        "--cacert", "ca_file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
        help="Authorities to check the certificate with, instead of the system's.",
    )  # fmt: skip
    insecure = click.option("--insecure", is_flag=True, help="Do not check the certificate.")
    return authority(insecure(command))


def output(command: Command) -> Command:
    """`--csv FILE --format table|json`, as `csv_file` and `form`."""
    file = click.option(
        "--csv", "csv_file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
        help="Write every row here too.",
    )  # fmt: skip
    form = click.option(
        "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
        help="How to print.",
    )  # fmt: skip
    return file(form(command))


def given(settings: type[S], **fields: object) -> S:
    """The settings that these options make; an option that was left out is None. What is wrong is told as usage."""
    from pydantic import ValidationError

    try:
        return settings(**{name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        said = _bound(settings, first) or str(first.get("ctx", {}).get("error", first["msg"]))
        place = str(first["loc"][0]) if first["loc"] else ""
        raise click.UsageError(said if said.startswith(place) else f"{place}: {said}") from None


def _bound(settings: type[Settings], error: ErrorDetails) -> str:
    """What a number that is out of bounds must be, in the units of its field; empty for any other mistake."""
    from sloagent import units
    from sloagent.settings import ByteSize, Duration

    words = {"le": "at most", "lt": "less than", "ge": "at least", "gt": "more than"}
    for name, limit in error.get("ctx", {}).items():
        if name in words:
            marks = settings.model_fields[str(error["loc"][0])].metadata
            written = next(
                (write(limit) for kind, write in ((ByteSize, units.written_bytes), (Duration, units.written_duration))
                 if any(mark in marks for mark in get_args(kind)[1:])), f"{limit:g}",
            )  # fmt: skip
            return f"{error['loc'][0]} must be {words[name]} {written}"
    return ""


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the file. Raises SloagentError."""
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(head)
            writer.writerows(rows)
    except OSError as error:
        raise SloagentError(f"{path}: {(error.strerror or str(error)).lower()}") from None
