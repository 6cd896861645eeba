"""`sloagent explain`: one SLO at one slot, so that anybody can repeat the verdict by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from sloagent.cli import options
from sloagent.cli.times import Time
from sloagent.errors import StoreError
from sloagent.model.slo import SLO

HISTORY_SLOTS = 60


@click.command(epilog="Example: sloagent explain -c sloagent.yaml api-mutating-latency --at 2026-11-22T05:56:00Z")
@options.configuration
@click.argument("name", metavar="SLO")
@click.option(
    "--at", "at", type=Time(), metavar="TIME", help="Judge the slot at or before TIME; the newest without it."
)
@click.option(
    "--series",
    default=3,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Show at most N series, the worst first.",
)
@click.pass_context
def command(context: click.Context, configuration: Path, name: str, at: datetime | None, series: int) -> None:
    """Show how one SLO is judged: the query, the answer, the arithmetic, the verdict, and a curl that asks again.

    It asks Prometheus anew and remembers nothing. Exit codes as of `check`.
    """
    from sloagent.app.wiring import open_agent
    from sloagent.cli.check import slot_at
    from sloagent.cli.explaining import explain
    from sloagent.cli.judging import terminal
    from sloagent.evaluation.roll_up import exit_code

    with open_agent(configuration, remember=False) as agent:
        slos = options.chosen(agent.slos, [name])
        if len(slos) > 1:
            names = ", ".join(f"{slo.set}/{slo.name}" for slo in slos)
            raise click.UsageError(f"several sets have an SLO `{name}`: write one of {names}")
        slo = slos[0]
        slot = slot_at(at, slo, agent.settings.evaluation.delay)
        verdict = agent.cycle.evaluate_one(slo, slot)
        curl = agent.source.curl(verdict.question.query, slot)
        source = agent.source.name
    click.echo(
        explain(
            verdict, terminal(), curl=curl, history=_history(configuration, source, slo, slot), at_most_series=series
        ),
        nl=False,
    )
    context.exit(exit_code([(verdict.outcome, slo.objective is not None)]))


def _history(configuration: Path, source: str, slo: SLO, slot: int) -> str:
    """How the hour before came out, from the store; nothing where there is no store yet, or it cannot be read."""
    from sloagent.app.wiring import open_store, store_exists
    from sloagent.cli.explaining import history

    if not store_exists(configuration):
        return ""
    try:
        store = open_store(configuration, read_only=True)
        try:
            return history(list(store.slots(source, slo, (slot - HISTORY_SLOTS * slo.interval, slot))))
        finally:
            store.close()
    except StoreError as error:  # the verdict above does not rest on it
        click.echo(f"sloagent: the hour before is left out: {error.message}", err=True)
        return ""
