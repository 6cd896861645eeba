"""Options that several commands share, and the choice of SLOs by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from sloagent.cli.times import Time
from sloagent.model.slo import SLO
from sloagent.model.timerange import TimeRange

Command = TypeVar("Command", bound=Callable[..., None])


def configuration(command: Command) -> Command:
    """`-c FILE`."""
    return click.option(
        "-c", "--config", "--config.file", "configuration", default="sloagent.yaml", show_default=True, metavar="FILE",
        type=click.Path(path_type=Path), help="The agent's file.",
    )(command)  # fmt: skip


def time_range(command: Command) -> Command:
    """`--from A --to B`."""
    start = click.option(
        "--from",
        "start",
        type=Time(),
        metavar="TIME",
        help="Where the range begins: RFC 3339, or relative such as -2h.",
    )
    end = click.option(
        "--to", "end", type=Time(), metavar="TIME", help="Where the range ends, in the same way; now without it."
    )
    return start(end(command))


def slo_names(command: Command) -> Command:
    """`--slo NAME`, more than once."""
    return click.option("--slo", "names", multiple=True, metavar="NAME", help="Only this SLO; may be repeated.")(
        command
    )


def listening(command: Command) -> Command:
    """`--web.listen-address HOST:PORT --web.config.file FILE`, as `listen` and `web_config`; `web` makes fields of them."""
    address = click.option(
        "--web.listen-address", "listen", default="", metavar="HOST:PORT", callback=_address,
        help="Listen here instead of at web.listen.",
    )  # fmt: skip
    file = click.option(
        "--web.config.file", "--web.config", "web_config", metavar="FILE", default=None,
        type=click.Path(dir_okay=False, path_type=Path), help="Take TLS and users from here instead of web.config_file.",
    )  # fmt: skip
    return address(file(command))


def web(listen: str, web_config: Path | None) -> dict[str, object]:
    """The fields of a `web:` block that were typed."""
    given = {"listen": listen or None, "config_file": web_config}
    return {name: value for name, value in given.items() if value is not None}


def log_lines(command: Command) -> Command:
    """`--log.level LEVEL --log.format logfmt|json`, as `level` and `style`."""
    level = click.option(
        "--log.level", "level", default="info", show_default=True,
        type=click.Choice(["debug", "info", "warning", "error"]), help="The least severe log lines to write.",
    )  # fmt: skip
    style = click.option(
        "--log.format", "style", default="logfmt", show_default=True, type=click.Choice(["logfmt", "json"]),
        help="How to write log lines, on standard error.",
    )  # fmt: skip
    return level(style(command))


def _address(_: click.Context, __: click.Parameter, value: str) -> str:
    from pydantic import ValidationError

    from sloagent.web.settings import WebSettings

    if value:
        try:
            WebSettings(listen=value)
        except ValidationError as error:
            raise click.BadParameter(str(error.errors()[0]["ctx"]["error"])) from None
    return value


def chosen_range(start: datetime | None, end: datetime | None, *, delay: float) -> TimeRange | None:
    """The range typed, None where none was. Without `--to` it ends where scrapes have arrived: now less `delay`."""
    if start is None:
        if end is not None:
            raise click.UsageError("--to needs --from")
        return None
    newest = datetime.fromtimestamp(datetime.now(UTC).timestamp() - delay, UTC)
    if end is not None and end > datetime.now(UTC):
        raise click.UsageError(f"--to {end:%Y-%m-%dT%H:%M:%SZ} lies in the future; Prometheus knows only the past")
    end = newest if end is None else min(end, newest)
    if start > end:
        raise click.UsageError("--from is later than --to (of the newest seconds the scrapes have not arrived yet)")
    return TimeRange(start, end)


def chosen(slos: Sequence[SLO], names: Sequence[str]) -> list[SLO]:
    """The SLOs named (`name` or `set/name`), all where none is. An unknown name fails with a close spelling."""
    if not names:
        return list(slos)
    picked: list[SLO] = []
    for name in names:
        found = [slo for slo in slos if name in (slo.name, f"{slo.set}/{slo.name}")]
        if not found:
            known = [slo.name for slo in slos]
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(sorted(known))}"
            raise click.UsageError(f"no SLO is named `{name}`; {hint}")
        picked += [slo for slo in found if slo not in picked]
    return picked
