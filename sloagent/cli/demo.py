"""`sloagent demo`: everything on the recorded data of a real Karmada control plane."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path

import click


@click.command(epilog="Example: sloagent demo --directory out/demo --serve")
@click.option(
    "--directory", default="sloagent-demo", show_default=True, type=click.Path(path_type=Path), metavar="DIR",
    help="Where everything is put; a former demo there is replaced, nothing else.",
)  # fmt: skip
@click.option(
    "--prometheus", "binary", default="prometheus", show_default=True, metavar="PROGRAM", help="The prometheus program."
)
@click.option("--port", default=0, metavar="PORT", help="Prometheus's port on loopback; any free one by default.")
@click.option("--serve", is_flag=True, help="Keep Prometheus up until Ctrl-C, to explain and to look things up.")
def command(directory: Path, binary: str, port: int, serve: bool) -> None:
    """Judge half an hour of a real Karmada control plane, with faults made on purpose, through a real Prometheus.

    The recording was made on one machine with four member clusters; between 05:54 and 05:59 UTC its etcd was stopped,
    its API server flooded with cluster-wide LISTs and its disk slowed down.
    """
    from sloagent.app import demonstration, reporting
    from sloagent.app.assess import stretch_of
    from sloagent.app.wiring import open_agent
    from sloagent.cli import judging
    from sloagent.cli.formats import table

    directory = directory.absolute()
    # However it is ended, its Prometheus ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with (
        demonstration.prepared(directory, binary=binary, port=port) as demo,
        open_agent(demo.configuration) as agent,
    ):
        stretch = stretch_of(demo.run, demonstration.whole(demo.run))
        judged = judging.judged(agent, agent.slos, stretch)
        click.echo(
            table.over_range(judging.heading(agent, stretch, judged.summaries), judged.summaries, judging.terminal()),
            nl=False,
        )
        judging.say_trouble(judged.trouble)
        settings = agent.settings.report
        record = reporting.recorded(agent, agent.slos, demo.run, stretch)
        made = reporting.report(record, reporting.definition(settings, demo.configuration, agent.slos))
        used = reporting.templates(settings, demo.configuration)
        files = reporting.write(made, directory / "report", ("html", "md", "json"), ("en", "zh"), used)
        configuration = judging.short(demo.configuration)
        shown = [f"  {judging.short(file)}" for file in files if file.parent.name != "assets"]
        lines = ["", "The report:", *shown, "", "Where to look next:"]
        if serve:
            lines.append(f"  Prometheus is at {demo.url} until Ctrl-C. In another terminal:")
        else:
            again = shlex.join(["sloagent", "demo", "--directory", str(judging.short(directory)), "--serve"])
            lines.append(f"  {again}   keeps Prometheus up; then, in another terminal:")
        lines += [
            f"  sloagent explain -c {configuration} api-mutating-latency --at 2026-11-22T05:56:00Z",
            f"  sloagent check -c {configuration} --from 2026-11-22T05:55:00Z --to 2026-11-22T05:58:00Z",
            f"  sloagent store dump -c {configuration} | less",
        ]
        click.echo("\n".join(lines))
        if serve:
            signal.pause()
