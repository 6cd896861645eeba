"""`sloagent check`: evaluate once, or every slot of a range, and gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli import options
from sloagent.cli.times import Time
from sloagent.model.slo import SLO
from sloagent.model.timerange import newest_slot

if TYPE_CHECKING:  # a command imports what it needs when it runs: --help is quick
    from sloagent.app.assess import Stretch
    from sloagent.app.wiring import Agent


@click.command(epilog="Example: sloagent check -c sloagent.yaml --from -2h --format junit > verdicts.xml")
@options.configuration
@click.option(
    "--at", "at", type=Time(), metavar="TIME", help="Judge the slot at or before TIME; the newest without it."
)
@options.time_range
@click.option("--run", "run_name", metavar="NAME", help="A run instead: its whole windows, without its exclusions.")
@options.slo_names
@click.option("--slots", "each", is_flag=True, help="With --from: print each slot's verdicts too.")
@click.option(
    "--format", "style", default="table", show_default=True, type=click.Choice(["table", "json", "junit", "markdown"]),
    help="How to print the verdicts.",
)  # fmt: skip
@click.pass_context
def command(
    context: click.Context,
    configuration: Path,
    at: datetime | None,
    start: datetime | None,
    end: datetime | None,
    run_name: str | None,
    names: tuple[str, ...],
    each: bool,
    style: str,
) -> None:
    """Evaluate the SLOs and gate on them: at one slot, or over a range.

    With --from every slot of the range is judged and remembered in the store; only what is missing there is asked. At
    one slot nothing is remembered.

    Exit codes: 0 all pass (or only measured or warn), 1 an SLO failed, 2 something written is wrong, 3 no verdict could
    be reached.
    """
    ranged = start is not None or end is not None
    if (at is not None) + ranged + (run_name is not None) > 1:
        raise click.UsageError("--at, --from/--to and --run exclude each other")
    if run_name is not None:
        context.exit(_run(configuration, run_name, names, each=each, style=style))
    if ranged:
        context.exit(_range(configuration, (start, end), names, each=each, style=style))
    if each:
        raise click.UsageError("--slots goes with --from/--to or --run")
    context.exit(_once(configuration, at, names, style))


def _once(configuration: Path, at: datetime | None, names: Sequence[str], style: str) -> int:
    from sloagent.app.wiring import open_agent
    from sloagent.cli import formats, judging
    from sloagent.evaluation.roll_up import exit_code

    with open_agent(configuration, remember=False) as agent:
        slos = options.chosen(agent.slos, names)
        slots = agent.cycle.evaluate([(slo, slot_at(at, slo, agent.settings.evaluation.delay)) for slo in slos])
        head = judging.heading(agent, None)
    match style:
        case "json":
            from sloagent.cli.formats import json

            text = json.at_slot(slots)
        case "junit":
            from sloagent.cli.formats import junit

            text = junit.at_slot(head, slots)
        case "markdown":
            from sloagent.cli.formats import markdown

            text = markdown.at_slot(head, slots)
        case _:
            from sloagent.cli.formats import table

            text = table.at_slot(head, slots, judging.terminal())
    click.echo(text, nl=False)
    return exit_code([(slot.outcome, formats.promises(slot.slo)) for slot in slots])


def _range(
    configuration: Path, times: tuple[datetime | None, datetime | None], names: Sequence[str], *, each: bool, style: str
) -> int:
    from sloagent.app.assess import Stretch
    from sloagent.app.wiring import load, open_agent

    # Everything typed is looked at before a store is opened: a mistake leaves no empty one behind.
    settings, sets = load(configuration)
    slos = options.chosen([slo for slo_set in sets for slo in slo_set.slos], names)
    chosen = options.chosen_range(*times, delay=settings.evaluation.delay)
    if chosen is None:
        raise click.UsageError("--to needs --from")
    stretch = Stretch(chosen, inside=False)
    if not any(stretch.slots(slo) for slo in slos):
        shortest = min(slo.interval for slo in slos)
        raise click.UsageError(
            f"no slot lies between --from and --to: one falls on each whole multiple of {shortest} s"
        )
    with open_agent(configuration, loaded=(settings, sets)) as agent:
        return _judge(agent, slos, stretch, each=each, style=style)


def _run(configuration: Path, name: str, names: Sequence[str], *, each: bool, style: str) -> int:
    from sloagent.app.wiring import open_agent
    from sloagent.cli import judging

    with open_agent(configuration) as agent:
        _, stretch = judging.run_named(agent, name)
        return _judge(agent, options.chosen(agent.slos, names), stretch, each=each, style=style)


def _judge(agent: Agent, slos: Sequence[SLO], stretch: Stretch, *, each: bool, style: str) -> int:
    from sloagent.app import assess
    from sloagent.cli import formats, judging
    from sloagent.evaluation.roll_up import exit_code

    judged = judging.judged(agent, slos, stretch)
    head = judging.heading(agent, stretch, judged.summaries)
    slots = [slot for slo in slos for slot in assess.recorded_slots(agent.cycle, slo, stretch)] if each else []
    match style:
        case "json":
            from sloagent.cli.formats import json

            text = json.over_range(head, judged.summaries, slots)
        case "junit":
            from sloagent.cli.formats import junit

            text = junit.over_range(head, judged.summaries)
        case "markdown":
            from sloagent.cli.formats import markdown

            text = markdown.over_range(head, judged.summaries, slots)
        case _:
            from sloagent.cli.formats import table

            text = table.over_range(head, judged.summaries, judging.terminal(), slots)
    click.echo(text, nl=False)
    judging.say_trouble(judged.trouble)
    return exit_code([(summary.outcome, formats.promises(summary.slo)) for summary in judged.summaries])


def slot_at(moment: datetime | None, slo: SLO, delay: float) -> int:
    """The slot at or before a time; without one the newest whose scrapes have arrived."""
    if moment is None:
        return newest_slot(datetime.now(UTC).timestamp(), slo.interval, delay)
    if moment > datetime.now(UTC):
        raise click.UsageError(f"--at {moment:%Y-%m-%dT%H:%M:%SZ} lies in the future; Prometheus knows only the past")
    return newest_slot(moment.timestamp(), slo.interval, 0.0)
