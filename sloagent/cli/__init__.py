"""What people type. The only room that prints and exits; one file per command, imported when it is called."""

from __future__ import annotations

import importlib
import sys
import traceback

import click

from sloagent.cli import interrupt
from sloagent.errors import ConfigError, SloagentError

COMMANDS = {
    "init": "a commented starter configuration",
    "validate": "check SLO files and agent files for mistakes",
    "check": "evaluate now, at a time or over a range, and gate",
    "explain": "one SLO: the query, the answer, the arithmetic, the verdict",
    "run": "the daemon",
    "backfill": "fill the store from Prometheus's past",
    "report": "write the performance report of a run or a range",
    "probe": "measure what no metric carries: distribution, registration, latency as a client sees it",
    "runs": "the life of a run: start, stop, phases, exclusions, export and import",
    "store": "what is remembered: dump, check, backup",
    "alerts": "what is pending and firing, and a test of everybody who is told",
    "rules": "SLOs as recording and alerting rules for Prometheus",
    "config": "the effective configuration, secrets hidden",
    "demo": "everything on recorded data of a real Karmada control plane",
}
"""Name and sentence of each command, in the order in which `--help` shows them."""

INTERRUPTED = 130
READER_LEFT = 141
"""Exit codes as a shell gives them for SIGINT and SIGPIPE; neither is a verdict."""


class _Commands(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sloagent.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list for `--help`, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own, with a close spelling for an unknown command."""
        import difflib

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            meant = f" Did you mean `{close[0]}`?" if close else ""
            ctx.fail(f"No such command `{args[0]}`.{meant}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Click's own; where whoever read our output has left, the exit code is no verdict (click would say 1)."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # That is theirs to decide. Keep Python from complaining at exit.
            sys.stdout = None
            ctx.exit(READER_LEFT)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: sloagent init && sloagent check -c sloagent.yaml",
)
@click.version_option(package_name="sloagent", prog_name="sloagent")
def cli() -> None:
    """Judges a control plane against SLOs, from what Prometheus says.

    Exit codes: 0 all pass, 1 an SLO failed, 2 something written is wrong, 3 no verdict could be reached.
    """


def main() -> None:
    """Run the command line; every mistake becomes a sentence and an exit code, never a traceback."""
    interrupt.note()
    try:
        status = cli.main(prog_name="sloagent", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except SloagentError as error:
        tell(error)
        sys.exit(error.exit_code)
    except OSError as error:
        # A full disk, mostly: what was to be printed or written was not.
        where = f"{error.filename}: " if error.filename else "the output could not be written: "
        tell(SloagentError(where + (error.strerror or str(error)).lower()))
        sys.stdout = None  # what it still holds cannot be written either, and Python would end with 120 for that
        sys.exit(SloagentError.exit_code)
    except Exception as error:  # noqa: BLE001 - nothing is swallowed: Python would end with 1, an SLO's failing
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python 3.11 wraps one that comes while a class is made
            sys.exit(INTERRUPTED)
        traceback.print_exc()
        tell(
            SloagentError("this is a mistake in sloagent itself; no verdict was reached", hint="report the lines above")
        )
        sys.exit(SloagentError.exit_code)
    sys.exit(status if isinstance(status, int) else 0)


def tell(error: SloagentError) -> None:
    """Print what a person has to hear on standard error."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            click.echo(problem, err=True)
            click.echo(err=True)
    click.echo(f"sloagent: {error.message}" if not isinstance(error, ConfigError) else error.message, err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)
