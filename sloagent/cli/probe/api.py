"""`sloagent probe api`: put a load on APIs once, and print how long its calls took."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli.probe import once
from sloagent.errors import ConfigError, SloagentError

if TYPE_CHECKING:  # a command imports what it needs when it runs: --help is quick
    from sloagent.probes.api.settings import ApiLoadSettings
    from sloagent.probes.api.tally import Tally
    from sloagent.probes.settings import EndpointSettings

    Loads = tuple[Sequence[ApiLoadSettings], dict[str, EndpointSettings]]


@click.command(
    short_help="drive loads once, side by side, and print their latencies",
    epilog="Example: sloagent probe api -c sloagent.yaml list-pods --duration 1m -o results",
)
@click.option(
    "-c", "--config", "configuration", metavar="FILE", type=click.Path(path_type=Path),
    help="The file with the loads; sloagent.yaml, unless --resource says what to do.",
)  # fmt: skip
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--duration", metavar="DURATION", help="Instead of that of the loads.")
@click.option(
    "-o", "directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
    help="Write every call as a row of DIR/NAME.csv.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--seed", type=int, help="Draw the same times and objects again.")
@click.option("--target", "contexts", multiple=True, metavar="CONTEXT", help="Of the kubeconfig; may be repeated.")
@click.option("--kubeconfig", metavar="FILE", type=click.Path(path_type=Path), help="Where the contexts are.")
@click.option("--resource", metavar="RESOURCE", help="Such as v1/configmaps or apps/v1/deployments.")
@click.option("--call", type=click.Choice(["list", "get", "update", "churn"]), help="What to do with it.")
@click.option("--namespace", metavar="NAME", help="Where; needed to churn.")
@click.option("--rate", metavar="RATE", help="Open loop: requests begin at random, such as 50/s.")
@click.option("--workers", type=int, help="Closed loop: each begins a request when its last one has ended.")
@click.option("--limit", type=int, help="Of objects that a list asks for.")
@click.option("--resource-version", "version", metavar="VERSION", help="Of list and get: 0 takes what is at hand.")
@click.option("--size", metavar="SIZE", help="Of what fills each object, such as 2KiB.")
@click.option("--updates", type=int, help="Of each object; 1 without it.")
@click.option("--lifetime", metavar="DURATION", help="Of each object in an open loop; 10s without it.")
@click.option("--population", type=int, help="The most objects at once in an open loop; 100 without it.")
@click.option("--watch", is_flag=True, default=None, help="Also time the events of a watch, and a work queue.")
@click.pass_context
def command(
    context: click.Context, /, configuration: Path | None, names: tuple[str, ...], duration: str | None,
    directory: Path | None, form: str, seed: int | None, **about: object,
) -> None:  # fmt: skip
    """Drive the loads NAME of the block `probes:` once, one after the other; all of them where none is named.

    Or one that is said here: --target member1 --resource v1/configmaps --call churn --rate 50/s --namespace load.

    The targets of a load are driven side by side. Printed are the latencies of each target as gmeasure prints them, the
    targets beside each other, and the rate that was asked for and achieved. In an open loop a latency counts from when
    the call was due, so that a stall is not hidden. What was created is taken away at the end, after Ctrl-C too, which
    ends the load with what it has measured.

    Exit codes: 0 it ran, 2 something written is wrong, 3 a target could not be reached, or nothing succeeded there.
    """
    given = {name: value for name, value in about.items() if value not in (None, ())}
    if "resource" in given:
        if configuration is not None or names:
            raise click.UsageError("--resource says what to do, and so do -c and NAME; keep one")
        loads, clusters = _from_options(given)
    elif given:
        raise click.UsageError("what to do is said with --resource and --call, or by loads in a file (-c)")
    else:
        loads, clusters = _from_file(configuration or Path("sloagent.yaml"), names)
    if duration is not None:
        loads = [_lasting(load, duration) for load in loads]
    chance = random.Random(seed)  # noqa: S311 - it spreads requests, and hides nothing
    context.exit(asyncio.run(_drive(loads, clusters, directory, form, chance)))


async def _drive(
    loads: Sequence[ApiLoadSettings], clusters: dict[str, EndpointSettings], directory: Path | None, form: str,
    chance: random.Random,
) -> int:  # fmt: skip
    from sloagent.cli.probe import api_text

    stop, loop, worst = asyncio.Event(), asyncio.get_running_loop(), 0
    done: list[tuple[ApiLoadSettings, list[Tally]]] = []

    def interrupted() -> None:
        click.echo("ending: waiting for what is under way; again to cut it off", err=True)
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    for load in loads:
        if stop.is_set():
            break
        click.echo(api_text.beginning(load), err=True)
        tallies = await _one(load, clusters, directory, stop=stop, chance=chance)
        done.append((load, tallies))
        if form == "table":
            click.echo(api_text.text(load, tallies))
            sys.stdout.flush()
        for tally in tallies:
            if why := tally.failure:
                click.echo(f"sloagent: {load.name}: {why}", err=True)
                worst = SloagentError.exit_code
    if form == "json":
        click.echo(api_text.json_text(done))
    elif any(tally.verbs for _, tallies in done for tally in tallies):
        click.echo(api_text.side_by_side(done))
    return worst


async def _one(
    load: ApiLoadSettings, clusters: dict[str, EndpointSettings], directory: Path | None, *, stop: asyncio.Event,
    chance: random.Random,
) -> list[Tally]:  # fmt: skip
    from sloagent.probes.api.once import once as drive
    from sloagent.probes.api.rows import Rows

    with ExitStack() as stack:
        rows = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            file = (directory / f"{load.name}.csv").open("w", newline="", encoding="utf-8")
            rows = Rows(stack.enter_context(file))
        return await drive(load, clusters, rows, stop=stop, chance=chance)


def _from_file(configuration: Path, names: Sequence[str]) -> Loads:
    from sloagent.app.probing import load_probes

    probes = load_probes(configuration)
    known = {load.name: load for load in probes.api}
    if not known:
        raise click.UsageError(f"{configuration} has no loads under probes.api")
    for name in names:
        if name not in known:
            raise click.UsageError(f"no load is named `{name}`; there are: {', '.join(sorted(known))}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values()), dict(probes.clusters)


def _from_options(given: dict[str, object]) -> Loads:
    import importlib.util

    from sloagent.probes.api.settings import ApiLoadSettings, ClosedLoop, ObjectSettings, OpenLoop
    from sloagent.probes.settings import EndpointSettings

    if importlib.util.find_spec("kubernetes_asyncio") is None:
        raise ConfigError(
            "this needs kubernetes_asyncio, which is not there", hint="pip install 'sloagent[kubernetes]'"
        )
    if "call" not in given:
        raise click.UsageError("--resource needs --call: list, get, update or churn")
    if ("rate" in given) == ("workers" in given):
        raise click.UsageError("say how it is driven: --rate 50/s (an open loop) or --workers 10 (a closed one)")
    if given["call"] == "churn" and "namespace" not in given:
        raise click.UsageError('--call churn needs --namespace; "" for a resource that is in no namespace')
    contexts = given.get("contexts") or (None,)
    assert isinstance(contexts, tuple)
    clusters = {
        _name(context): once.given(EndpointSettings, kubeconfig=given.get("kubeconfig"), context=context)
        for context in contexts
    }
    if len(clusters) < len(contexts):
        raise click.UsageError("a context is named twice")
    rate, workers = given.get("rate"), given.get("workers")
    of_objects = {name: given.get(name) for name in ("size", "updates", "lifetime", "population")}
    load = once.given(
        ApiLoadSettings, name=given["call"], targets=tuple(clusters), resource=given["resource"],
        call=given["call"], namespace=given.get("namespace"), limit=given.get("limit"),
        resource_version=given.get("version"), watch=given.get("watch"),
        open=None if rate is None else once.given(OpenLoop, rate=rate),
        closed=None if workers is None else once.given(ClosedLoop, workers=workers),
        object=once.given(ObjectSettings, **of_objects) if any(v is not None for v in of_objects.values()) else None,
    )  # fmt: skip
    return [load], clusters


def _name(context: str | None) -> str:
    """A context as the name of a target: kubeconfigs name them as they like."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", context or "current")[:63].strip("-._") or "target"


def _lasting(load: ApiLoadSettings, duration: str) -> ApiLoadSettings:
    from sloagent.probes.api.settings import ApiLoadSettings

    return once.given(ApiLoadSettings, **{**load.model_dump(exclude_unset=True), "duration": duration, "every": None})
