"""`sloagent alerts`: what is pending and firing, and whether anybody would hear of it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.app.times import stamp
from sloagent.cli import options
from sloagent.config.problem import printable
from sloagent.errors import SinkError, SloagentError
from sloagent.model.alert import Severity, Stage
from sloagent.model.timerange import at
from sloagent.units import written_duration

if TYPE_CHECKING:  # a command imports what it needs when it runs: --help is quick
    from sloagent.app.alert_listing import Listed, Listing


@click.group(epilog="Example: sloagent alerts list -c sloagent.yaml")
def command() -> None:
    """What is pending and firing, and a test of everybody who is told."""


@command.command("list", epilog="Example: sloagent alerts list -c sloagent.yaml --format json")
@options.configuration
@options.slo_names
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
def list_alerts(configuration: Path, names: tuple[str, ...], form: str) -> None:
    """List what is pending and firing, and why, worst first.

    It is as of the newest slot that the daemon has looked at.
    """
    from sloagent.app.alert_listing import listed_data, listing
    from sloagent.app.receivers import receiver_names
    from sloagent.app.wiring import load, open_store

    settings, sets = load(configuration)
    slos = options.chosen([slo for slo_set in sets for slo in slo_set.slos], names)
    with closing(open_store(configuration, read_only=True)) as store:
        found = listing(store, settings.prometheus.name, slos, receiver_names(settings))
    if form == "json":
        document = {
            "schema": "sloagent/alerts/v1",
            "alerts": [listed_data(one) for one in found.alerts],
            "looked_at": {f"{slo.set}/{slo.name}": stamp(at(slot)) for slo, slot in sorted(
                found.looked_at.items(), key=lambda item: (item[0].set, item[0].name)
            )},
        }  # fmt: skip
        click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
        return
    for one in found.alerts:
        _print(one)
    click.echo(_closing(found, len(slos)), err=True)


@command.command(epilog="Example: sloagent alerts test -c sloagent.yaml")
@options.configuration
@click.option(
    "--severity", type=click.Choice(["page", "ticket", "info"]), default="info", show_default=True,
    help="Of the test alert: page tries the way of a page.",
)  # fmt: skip
def test(configuration: Path, severity: str) -> None:
    """Send one alert to every receiver, and say what each of them answered.

    It is called SLOTest, of the SLO test in the set test, and ends by itself. Exits with 3 where a receiver did not take it.
    """
    from sloagent.app.receivers import receivers_for_a_test, test_notice
    from sloagent.app.wiring import load

    settings, _ = load(configuration)
    failed = 0
    receivers = receivers_for_a_test(settings)
    for receiver in receivers:
        with closing(receiver):
            try:
                click.echo(f"{receiver.name}: {printable(receiver.test(test_notice(settings, Severity(severity))))}")
            except SinkError as error:
                failed += 1
                click.echo(f"{receiver.name}: {printable(error.message)}", err=True)
    if not receivers:
        raise SloagentError(
            f"{configuration} names nobody who is told of alerts",
            hint="write `alertmanagers: [{url: http://localhost:9093}]`, or `webhooks`",
        )
    if failed:
        raise SloagentError(f"{failed} of {len(receivers)} receivers did not take the test alert")


def _print(one: Listed) -> None:
    slo, key, active = one.slo, one.key, one.active
    began = active.fired if active.fired is not None else active.started
    rule = f"{key.rule.value} over {written_duration(key.window)}" if key.window else key.rule.value
    series = " ".join(f"{name}={value}" for name, value in key.labels)
    words = [
        f"{active.stage.value:<7}",
        f"{active.severity.value:<6}",
        f"{slo.set}/{slo.name}",
        rule,
        printable(series),
    ]
    click.echo("  ".join(word for word in [*words, f"since {stamp(at(began))}"] if word))
    click.echo(f"         {printable(active.reason)}")
    heard = ", ".join(f"{name}, last at {stamp(at(int(told.firing_until)))}" for name, told in sorted(one.told.items()))
    if active.stage is Stage.FIRING:
        click.echo(f"         {'told ' + heard if heard else 'nobody was told'}")


def _closing(found: Listing, slos: int) -> str:
    stages = [one.active.stage for one in found.alerts]
    counts = f"{stages.count(Stage.FIRING)} firing, {stages.count(Stage.PENDING)} pending"
    if not found.looked_at:
        return f"{counts}; no slot has been looked at yet: the daemon does it, `sloagent run`"
    newest = stamp(at(max(found.looked_at.values())))
    behind = slos - len(found.looked_at)
    return f"{counts} as of {newest}" + (f"; {behind} of {slos} SLOs have not been looked at yet" if behind else "")
