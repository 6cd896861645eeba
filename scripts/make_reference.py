#!/usr/bin/env python3
"""Writes docs/commands.md from the commands themselves. `make golden` does it too, and a test holds the page to them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from sloagent.cli import COMMANDS, INTERRUPTED, READER_LEFT, cli
from sloagent.errors import ConfigError, SloagentError

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
ALL_PASS, SLO_FAILED = 0, 1
WRITTEN_WRONG, NO_VERDICT = ConfigError.exit_code, SloagentError.exit_code

EXITS: dict[str, dict[int, str]] = {
    "init": {ALL_PASS: "both files are written"},
    "validate": {ALL_PASS: "everything is well written"},
    "check": {
        ALL_PASS: "every SLO passes, or only warns or is measured",
        SLO_FAILED: "an SLO failed, whatever the others did",
        NO_VERDICT: "none failed, and an SLO with an objective has no verdict: `no_data`, `inconclusive`, `error`",
    },
    "explain": {
        ALL_PASS: "the SLO passes, warns or is measured",
        SLO_FAILED: "it fails",
        NO_VERDICT: "it has an objective and no verdict",
    },
    "run": {
        ALL_PASS: "it ended on SIGTERM or SIGINT, whatever the verdicts were",
        NO_VERDICT: "the address is in use; a store that cannot be opened does not end it, it goes on without remembering",
    },
    "backfill": {
        ALL_PASS: "every slot of the range is recorded, whatever the verdicts are",
        NO_VERDICT: "slots could not be asked, or nothing could be recorded",
    },
    "report": {
        ALL_PASS: "the files are written, whatever the verdicts are; slots that nobody answered count as missing in them",
        NO_VERDICT: "the store cannot be used, or the files cannot be written",
    },
    "runs export": {NO_VERDICT: "the store cannot be used, or the file cannot be written"},
    "runs": {NO_VERDICT: "the store cannot be used"},
    "store check": {ALL_PASS: "the store is sound", NO_VERDICT: "it is not, or cannot be read"},
    "store": {NO_VERDICT: "the store cannot be read, or the copy cannot be written"},
    "alerts list": {ALL_PASS: "listed, whatever fires", NO_VERDICT: "the store cannot be read"},
    "alerts test": {
        ALL_PASS: "every receiver took the test alert",
        NO_VERDICT: "one of them did not, or nobody is named who is told",
    },
    "probe run": {
        ALL_PASS: "it ended on SIGTERM or SIGINT, and has taken away what it had made",
        NO_VERDICT: "the address is in use",
    },
    "probe check": {
        ALL_PASS: "every API is reached, and everything is allowed",
        NO_VERDICT: "an API cannot be asked, or something is missing",
    },
    "probe http": {ALL_PASS: "at least one request was answered", NO_VERDICT: "none was"},
    "probe throughput": {ALL_PASS: "the run was whole", NO_VERDICT: "it was not"},
    "probe serve": {ALL_PASS: "it ended on SIGTERM or SIGINT", NO_VERDICT: "the address is in use"},
    "probe api": {
        ALL_PASS: "the loads ran, to the end or until Ctrl-C, whatever the latencies are",
        NO_VERDICT: "a target could not be reached, nothing succeeded there, or something may be left behind there",
    },
    "rules export": {
        ALL_PASS: "the rules are written; what is refused is named",
        NO_VERDICT: "every SLO is refused, or one with `--strict`; with `--online`, Prometheus does not answer",
    },
    "rules": {},
    "config": {},
    "demo": {
        ALL_PASS: "the verdicts are printed and the report is written, whatever the verdicts are",
        NO_VERDICT: "Prometheus could not be started, or nothing can be written there",
    },
}
"""What exit codes mean, by command or subcommand; 2 means the same everywhere, and 0 success where nothing is said."""

INTRODUCTION = f"""\
# Commands

<!-- Written by scripts/make_reference.py from the commands themselves: `make golden` writes it anew. -->

`sloagent COMMAND --help` says the same in the terminal. Data goes to standard output, everything else to standard error;
a progress line appears on a terminal only. What the formats hold is told in [What comes out](output.md).

A **TIME** is RFC 3339 with its zone (`2026-11-22T05:56:00Z`), or relative to now: `-2h`, `now-30m`, `now`. A time in the
future is refused. Without `--to` a range ends where scrapes have arrived: now less `evaluation.delay`.

An **SLO** is named by its name, or as `SET/NAME` where two sets have one of that name.

## Exit codes

| code | means |
|---|---|
| {ALL_PASS} | all pass, or only warn or are measured; of a command that does not judge: done |
| {SLO_FAILED} | an SLO failed |
| {WRITTEN_WRONG} | something written is wrong: an option, an argument, a configuration, an SLO file |
| {NO_VERDICT} | no verdict could be reached; of a command that does not judge: it could not be done |
| {INTERRUPTED} | interrupted with Ctrl-C; the daemon ends with {ALL_PASS} instead |
| {READER_LEFT} | whoever read the output has left, as `head` does |

Where several apply it is {WRITTEN_WRONG} before {SLO_FAILED} before {NO_VERDICT} before {ALL_PASS}: a failed SLO counts \
more than one without a verdict. An SLO without
an objective (`objective: tbd`) never changes the code. Only `check` and `explain` ever give {SLO_FAILED}.
"""


def page() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="sloagent")
    overview = ["| command | does |", "|---|---|"]
    overview += [f"| [`{name}`](#sloagent-{name}) | {sentence} |" for name, sentence in COMMANDS.items()]
    sections = [
        "\n".join(_section(command, inner)) for name in COMMANDS for command, inner in _with_inner(name, context)
    ]
    return "\n".join([INTRODUCTION, "## All commands", "", *overview, "", "\n\n".join(sections), ""])


def _with_inner(name: str, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """A command, then its subcommands, each with the context in which it is typed."""
    command = cli.get_command(context, name)
    assert command is not None
    own = click.Context(command, info_name=name, parent=context)
    yield command, own
    if isinstance(command, click.Group):
        for inner_name, inner in command.commands.items():
            yield inner, click.Context(inner, info_name=inner_name, parent=own)


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    name = context.command_path.removeprefix("sloagent ")
    yield f"{'###' if ' ' in name else '##'} `{context.command_path}`"
    yield ""
    yield re.sub(r"docs/(\w+\.md)", r"[docs/\1](\1)", inspect.cleandoc(command.help or ""))
    yield ""
    if isinstance(command, click.Group):
        links = [f"[`{inner}`](#{context.command_path.replace(' ', '-')}-{inner})" for inner in command.commands]
        yield f"Its commands: {', '.join(links)}."
        return
    yield from ["```text", " ".join([context.command_path, *command.collect_usage_pieces(context)]), "```", ""]
    yield from _options(command, context)
    yield from ["```sh", (command.epilog or "").removeprefix("Example: "), "```", ""]
    yield _exits(name)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    rows = []
    for option in command.get_params(context):
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record is None or not isinstance(option, click.Option) or "--help" in option.opts:
            continue
        extra = option.get_help_extra(context)
        default = "required" if option.required else f"`{extra['default']}`" if "default" in extra else ""
        rows.append(f"| `{record[0].replace('|', chr(92) + '|')}` | {default} | {option.help} |")
    if rows:
        yield from ["| option | default | does |", "|---|---|---|", *rows, ""]


def _exits(name: str) -> str:
    known = EXITS[name] if name in EXITS else EXITS[name.split(maxsplit=1)[0]]
    codes = {ALL_PASS: "done", WRITTEN_WRONG: "something written is wrong"} | known
    return "Exits with " + "; ".join(f"**{code}**: {codes[code]}" for code in sorted(codes)) + "."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
