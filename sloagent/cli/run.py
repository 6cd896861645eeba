"""`sloagent run`: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from sloagent.cli import interrupt, options
from sloagent.cli.logs import configure


@click.command(epilog="Example: sloagent run -c sloagent.yaml")
@options.configuration
@options.listening
@options.log_lines
def command(configuration: Path, listen: str, web_config: Path | None, level: str, style: str) -> None:
    """Run the daemon: evaluate every SLO on schedule, remember every verdict, export them as metrics.

    SIGHUP or POST /-/reload loads the configuration anew. SIGTERM ends it once the questions under way are answered.
    """
    from sloagent.app.daemon import Daemon

    configure(level, style)
    Daemon(configuration, web=options.web(listen, web_config)).run(interrupt.came)
