"""`sloagent run`: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from sloagent.cli import options
from sloagent.cli.logs import configure


def _address(_: click.Context, __: click.Parameter, value: str) -> str:
    from pydantic import ValidationError

    from sloagent.web.settings import WebSettings

    if value:
        try:
            WebSettings(listen=value)
        except ValidationError as error:
            raise click.BadParameter(str(error.errors()[0]["ctx"]["error"])) from None
    return value


@click.command(epilog="Example: sloagent run -c sloagent.yaml")
@options.configuration
@click.option(
    "--web.listen-address", "listen", default="", metavar="HOST:PORT", callback=_address,
    help="Listen here instead of at web.listen.",
)  # fmt: skip
@click.option(
    "--web.config.file", "--web.config", "web_config", metavar="FILE", default=None,
    type=click.Path(dir_okay=False, path_type=Path), help="Take TLS and users from here instead of web.config_file.",
)  # fmt: skip
@click.option(
    "--log.level", "level", default="info", show_default=True, type=click.Choice(["debug", "info", "warning", "error"]),
    help="The least severe log lines to write.",
)  # fmt: skip
@click.option(
    "--log.format", "style", default="logfmt", show_default=True, type=click.Choice(["logfmt", "json"]),
    help="How to write log lines, on standard error.",
)  # fmt: skip
def command(configuration: Path, listen: str, web_config: Path | None, level: str, style: str) -> None:
    """Run the daemon: evaluate every SLO on schedule, remember every verdict, export them as metrics.

    SIGHUP or POST /-/reload loads the configuration anew. SIGTERM ends it once the questions under way are answered.
    """
    from sloagent.app.daemon import Daemon

    configure(level, style)
    given = {"listen": listen or None, "config_file": web_config}
    Daemon(configuration, web={name: value for name, value in given.items() if value is not None}).run()
