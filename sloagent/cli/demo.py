"""`sloagent demo`: everything on the recorded data of a real Karmada control plane."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from sloagent.cli.judging import judged_range, print_range, write_report


@click.command(epilog="Example: sloagent demo --directory out/demo --serve")
@click.option(
    "--directory", default="sloagent-demo", show_default=True, type=click.Path(path_type=Path), metavar="DIR",
    help="Where everything is put; a former demo there is replaced.",
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
    from sloagent.app.demonstration import prepared
    from sloagent.app.wiring import open_agent

    directory = directory.absolute()
    with prepared(directory, binary=binary, port=port) as demo, open_agent(demo.configuration) as agent:
        judged = judged_range(agent, agent.slos, demo.run)
        print_range(agent, judged)
        files = write_report(agent, judged, directory / "report", formats=("md", "html", "json"), language="en")
        click.echo("\nThe report:")
        for file in files:
            click.echo(f"  {_short(file)}")
        click.echo("\nWhere to look next:")
        if serve:
            click.echo(f"  Prometheus is at {demo.url} until Ctrl-C. In another terminal:")
        else:
            click.echo("  sloagent demo --serve keeps Prometheus up; then, in another terminal:")
        click.echo(f"  sloagent explain -c {_short(demo.configuration)} api-mutating-latency --at 2026-11-22T05:56:00Z")
        click.echo(
            f"  sloagent check -c {_short(demo.configuration)} --from 2026-11-22T05:55:00Z --to 2026-11-22T05:58:00Z"
        )
        click.echo(f"  sloagent store dump -c {_short(demo.configuration)} | less")
        if serve:
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _short(path: Path) -> Path:
    """Relative to where the user is, where that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
