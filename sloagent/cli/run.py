"""`sloagent run`: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from sloagent.cli import options
from sloagent.cli.logs import configure


@click.command(epilog="Example: sloagent run -c sloagent.yaml")
@options.configuration
@click.option(
    "--web.listen-address", "listen", default="", metavar="HOST:PORT", help="Listen here instead of at web.listen."
)
@click.option(
    "--log.level", "level", default="info", show_default=True, type=click.Choice(["debug", "info", "warning", "error"]),
    help="The least severe log lines to write.",
)  # fmt: skip
@click.option(
    "--log.format", "style", default="logfmt", show_default=True, type=click.Choice(["logfmt", "json"]),
    help="How to write log lines, on standard error.",
)  # fmt: skip
def command(configuration: Path, listen: str, level: str, style: str) -> None:
    """Run the daemon: evaluate every SLO on schedule, remember every verdict, export them as metrics.

    SIGHUP or POST /-/reload loads the configuration anew. SIGTERM ends it once the questions under way are answered.
    """
    from sloagent.app.daemon import Daemon

    configure(level, style)
    Daemon(configuration, listen=listen).run()
