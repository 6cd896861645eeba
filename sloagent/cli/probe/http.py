"""`sloagent probe http`: ask a URL some times, and print how long it took to connect, to answer and to end."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli.probe import once
from sloagent.cli.progress import counting
from sloagent.errors import SloagentError

if TYPE_CHECKING:
    from sloagent.probes.http import Answered
    from sloagent.probes.http_settings import HttpSettings
    from sloagent.probes.summary import Summary
    from sloagent.probes.wire import WireError

SCHEMA = "sloagent/probe-http/v1"


@click.command(
    short_help="time a URL, phase by phase as curl does",
    epilog="Example: sloagent probe http http://sample-webapp:8000/ --count 10 --csv times.csv",
)
@click.argument("url")
@click.option("--count", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many requests.")
@click.option("--every", default="1s", show_default=True, metavar="DURATION", help="From one to the next.")
@click.option("--timeout", default="10s", show_default=True, metavar="DURATION", help="For each request.")
@click.option(
    "--method", type=click.Choice(["GET", "HEAD", "OPTIONS"]), default="GET", show_default=True, help="How to ask."
)
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Send this too; may be repeated.")
@click.option(
    "--expect", type=int, multiple=True, metavar="CODE", help="Codes that are answers, instead of 200 to 299."
)
@once.trust
@once.output
def command(
    url: str,
    count: int,
    every: str,
    timeout: str,
    method: str,
    headers: tuple[str, ...],
    expect: tuple[int, ...],
    ca_file: Path | None,
    insecure: bool,
    csv_file: Path | None,
    form: str,
) -> None:
    """Ask URL some times, each over a new connection, and print seconds from the start as curl's -w states them.

    connect is time_connect, tls time_appconnect, first byte time_starttransfer, total time_total. A request that failed
    is counted and not timed. Exits with 3 where none was answered.
    """
    from sloagent.probes.http import Answered
    from sloagent.probes.http_settings import HttpSettings, TLSSettings
    from sloagent.probes.summary import summarize

    settings = once.given(
        HttpSettings, name="url", url=url, every=every, timeout=timeout, method=method, expect=expect,
        headers=dict(_header(text) for text in headers),
        tls_config=TLSSettings(ca_file=ca_file, insecure_skip_verify=insecure),
    )  # fmt: skip
    outcomes = asyncio.run(_asked(settings, count))
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answered)]
    errors = count - len(answers)
    summaries = [
        summarize(phase, [answer.times[phase] for answer in answers], errors=errors) for phase in settings.phases
    ]
    click.echo(_json(url, outcomes, summaries) if form == "json" else _table(outcomes, summaries, errors))
    if csv_file is not None:
        once.write_csv(csv_file, *_rows(outcomes))
    if not answers:
        raise SloagentError(f"{url}: no request was answered", hint=f"the last: {outcomes[-1]}")


async def _asked(settings: HttpSettings, count: int) -> list[Answered | WireError]:
    from sloagent.probes.http import ask
    from sloagent.probes.ticks import ticks
    from sloagent.probes.wire import WireError

    outcomes: list[Answered | WireError] = []
    with counting(count, "requests") as advance:
        async with aclosing(ticks(settings.every)) as times:
            async for _ in times:
                try:
                    outcomes.append(await ask(settings))
                except WireError as error:
                    outcomes.append(error)
                advance(1)
                if len(outcomes) == count:
                    break
    return outcomes


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.UsageError("--header is written 'NAME: VALUE'")
    return name.strip(), value.strip()


def _table(outcomes: list[Answered | WireError], summaries: list[Summary], errors: int) -> str:
    from sloagent.probes.http import Answered
    from sloagent.probes.summary import columns

    rows = [("No", *(f"{summary.name.replace('_', ' ')} (s)" for summary in summaries))]
    for number, outcome in enumerate(outcomes, 1):
        if isinstance(outcome, Answered):
            rows.append((str(number), *(_seconds(outcome.times[summary.name]) for summary in summaries)))
        else:
            rows.append((str(number), *("-" for _ in summaries)))
    rows.append(("mean", *(_seconds(summary.mean) for summary in summaries)))
    rows.append(("median", *(_seconds(summary.median) for summary in summaries)))
    rows.append(("max", *(_seconds(summary.percentile(100)) for summary in summaries)))
    lines = [line.rstrip() for line in columns(rows)]
    failed = [f"{number}: {outcome}" for number, outcome in enumerate(outcomes, 1) if not isinstance(outcome, Answered)]
    return "\n".join([*lines, "", f"errors: {errors}/{len(outcomes)}", *failed])


def _json(url: str, outcomes: list[Answered | WireError], summaries: list[Summary]) -> str:
    head, rows = _rows(outcomes)
    answer = {
        "schema": SCHEMA,
        "url": url,
        "requests": [dict(zip(head, row, strict=True)) for row in rows],
        "errors": summaries[0].errors,
        "summary": {
            f"{summary.name}_seconds": {
                "mean": summary.mean, "median": summary.median, "max": summary.percentile(100),
            }
            for summary in summaries
        },
    }  # fmt: skip
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _rows(outcomes: list[Answered | WireError]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Names of columns, and what stands in them for each request; None is what there is not."""
    from sloagent.probes.http import Answered
    from sloagent.probes.http_settings import PHASES

    head = ("no", "code", "failure", *(f"{phase}_seconds" for phase in PHASES))
    rows: list[tuple[object, ...]] = [
        (number, outcome.code, None, *(outcome.times.get(phase) for phase in PHASES))
        if isinstance(outcome, Answered)
        else (number, outcome.code, f"{outcome.kind}: {outcome}", *(None for _ in PHASES))
        for number, outcome in enumerate(outcomes, 1)
    ]
    return head, rows


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.6f}"
